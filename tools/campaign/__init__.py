"""A campaign: real processes, real PostgreSQL, a hostile M-Pesa, and an auditor at the end.

Nothing here is used by the add-ons; the campaign uses them from outside, as a company would.
"""
