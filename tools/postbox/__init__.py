"""A local SMS gateway and mail server that keep what they are sent, for people to read."""
