"""Plain Python: nothing here knows the ORM, so all of it is tested without a database."""
