"""Run in Odoo's shell: make and pay bills, batch after batch, until the campaign says stop."""
import os
import pathlib
import random
import time

from odoo import Command, fields

FOLDER = pathlib.Path(os.environ["SOKO_CAMPAIGN_DIR"])
LIMIT = int(os.environ["SOKO_CAMPAIGN_LIMIT"])
WAITING = int(os.environ.get("SOKO_CAMPAIGN_WAITING", "25"))
BATCH = 10

account = env["soko.mpesa.account"].search([], limit=1)
journal = account.journal_id
line = journal.outbound_payment_method_line_ids.filtered(lambda one: one.code == "mpesa_b2c")
payees = env["res.partner.bank"].search([("acc_type", "=", "mpesa")]).partner_id
purchases = env["account.journal"].search(
    [("type", "=", "purchase"), ("company_id", "=", env.company.id)], limit=1)


def count(condition="true"):
    env.cr.execute(f"SELECT count(*) FROM soko_mpesa_payout WHERE {condition}")
    return env.cr.fetchone()[0]


def pay(rng, number):
    bills = env["account.move"].create([{
        "move_type": "in_invoice", "partner_id": rng.choice(payees).id,
        "invoice_date": fields.Date.today(), "journal_id": purchases.id,
        "invoice_line_ids": [Command.create({
            "name": "Cuffs", "quantity": 1, "price_unit": rng.randint(10, 2500), "tax_ids": [],
        })],
    } for _bill in range(number)])
    bills.action_post()
    env["account.payment.register"].with_context(
        active_model="account.move", active_ids=bills.ids).create({
            "journal_id": journal.id, "payment_method_line_id": line.id, "group_payment": False,
        })._create_payments()
    env.cr.commit()


made = count()
rng = random.Random(f"{os.environ['SOKO_CAMPAIGN_SEED']}:{made}")
while made < LIMIT and not (FOLDER / "enough").exists():
    if count("state = 'approved'") >= WAITING:
        env.cr.rollback()
        time.sleep(0.3)
        continue
    pay(rng, min(BATCH, LIMIT - made))
    made = count()
