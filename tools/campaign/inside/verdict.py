"""Run in Odoo's shell, at the end: what the add-on's own invariants say."""
import json

found = env["soko.mpesa.payout"]._invariant_violations()
print("VERDICT " + json.dumps({name: len(rows) for name, rows in found.items()}))
