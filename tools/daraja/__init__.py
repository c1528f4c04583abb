"""A local stand-in for Safaricom's Daraja (M-Pesa) service, with its own books.

It speaks the wire format of the real service over HTTP, executes payments in its own
append-only ledger and plays scripted faults, so that software that moves money can be tried
and tested without any money.  Only Python's standard library is used.
"""
