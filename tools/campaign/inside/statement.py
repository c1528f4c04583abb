"""Run in Odoo's shell: an approver imports what the portal exports, and a manager says that the
service had time enough to know of every payment."""
import base64
import os
import pathlib

export = pathlib.Path(os.environ["SOKO_CAMPAIGN_DIR"]) / "statement.csv"
account = env["soko.mpesa.account"].search([], limit=1)
account.absent_settle_minutes = 0
approver = env["res.users"].search([("login", "=", "approver")])
statement = env["soko.mpesa.statement"].with_user(approver).create({
    "account_id": account.id, "filename": export.name,
    "file": base64.b64encode(export.read_bytes()),
})
statement.action_check()
assert statement.state == "checked", statement.problems
statement.action_import()
env.cr.commit()
