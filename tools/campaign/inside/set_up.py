"""Run in Odoo's shell, once: a company that pays by M-Pesa, its people and verified payees."""
import base64
import os

from odoo import Command

PAYEES = 98
FIRST = ("Achieng", "Baraka", "Chebet", "Daudi", "Esther", "Fatuma", "Githinji", "Halima", "Imani",
         "Juma")
MIDDLE = ("Kamau", "Lulu", "Mumbi", "Njeri", "Otieno", "Pendo", "Rehema", "Salim", "Tabitha",
          "Wanjiku")
SECRETS = {
    "consumer_key": os.environ["SOKO_CAMPAIGN_KEY"],
    "consumer_secret": os.environ["SOKO_CAMPAIGN_SECRET"],
    "security_credential": base64.b64encode(b"campaign".ljust(256, b"!")).decode(),
}

env["account.chart.template"].try_loading("generic_coa", env.company, False)
env.company.currency_id = env.ref("base.KES")
# a campaign has no days: numbers don't cool off, and the first payment may be of any size
env.company.write({"soko_mpesa_cooling_hours": 0, "soko_mpesa_first_payment_limit": 0})


def person(login, *groups):
    return env["res.users"].with_context(no_reset_password=True).create({
        "name": login.title() + " Mfano", "login": login,
        "group_ids": [Command.link(env.ref(group).id) for group in groups],
    })


maker = person("maker", "soko_mpesa.soko_mpesa_group_maker", "account.group_account_invoice",
               "base.group_partner_manager")
approver = person("approver", "soko_mpesa.soko_mpesa_group_approver", "base.group_partner_manager")
env.company.soko_mpesa_first_payment_limit = 0  # payees are paid from the first bill on
account = env["soko.mpesa.account"].create({
    "name": "Campaign", "shortcode": "600992", "initiator_name": "testapi",
    "auto_approve_limit": 250000, "auto_approve_day_limit": 0, "send_spacing_ms": 0,
    "query_delays": "0.08,0.1,0.15,0.5,5", **SECRETS,
})
account.action_set_up_journal()
partners = env["res.partner"].create([
    {"name": f"{FIRST[number % 10]} {MIDDLE[number // 10]} Mfano", "supplier_rank": 1}
    for number in range(1, PAYEES + 1)])
banks = env["res.partner.bank"].with_user(maker).create([
    {"partner_id": partner.id, "acc_number": f"2547000000{number:02}", "acc_type": "mpesa"}
    for number, partner in enumerate(partners, 1)])
banks.with_user(approver).action_soko_mpesa_verify()
env.flush_all()
# only the add-on's own jobs are to run
env.cr.execute("""
    UPDATE ir_cron SET active = id IN (
        SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND module = 'soko_mpesa')
""")
env.cr.commit()
