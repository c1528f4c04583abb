"""The work of the house that gives the demo its stock and its payees, done by its people."""

import base64
import random

SHORTCODE = "600000"
AUTO_APPROVE_LIMIT = 20_000         # KES; what a maker gets for a handful of pieces
DROPPED_OFF = "soko_demo.dropped_off"
# So many pieces of these raw products are plated before the shop opens.
PLATED = (("Mara cuff", 2), ("Dot ring", 2), ("Crescent necklace", 1), ("Fan earrings", 2))


def user_env(env, login):
    """Return the environment of the user of that login."""
    user = env["res.users"].search([("login", "=", login)], limit=1)
    return env(user=user.id, su=False)


# ---------------------------------------------------------------- payees
def set_up_mpesa(env, company, urls, import_all):
    """Set up the account that pays, and payees entered by one person, verified by another."""
    account = _mpesa_account(env, company, urls)
    payees = import_all(env, (("payees", "res.partner.bank", "clerk"),))
    unverified = payees.filtered(lambda bank: not bank.allow_out_payment)
    unverified.with_env(user_env(env, "approver")).action_soko_mpesa_verify()
    method = env.ref("soko_mpesa.account_payment_method_mpesa_b2c")
    line = account.journal_id.outbound_payment_method_line_ids.filtered(
        lambda li: li.payment_method_id == method
    )
    payees.partner_id.with_company(company).property_outbound_payment_method_line_id = line[:1]
    company.soko_auto_pay = True
    print(f"payees: {len(payees)} verified by a second person")


def _mpesa_account(env, company, urls):
    """Return the account that pays from the simulator's shortcode; made when missing."""
    accounts = user_env(env, "manager")["soko.mpesa.account"]
    account = accounts.search([("shortcode", "=", SHORTCODE)], limit=1)
    if not account:
        account = accounts.create(_mpesa_account_vals(company, urls))
    account.action_set_up_journal()
    return account.with_env(env)


def _mpesa_account_vals(company, urls):
    """Return the values of the account; the credentials are worth nothing outside the demo."""
    made_up = random.Random(SHORTCODE).randbytes(256)
    return {
        "name": "M-Pesa of the demo",
        "company_id": company.id,
        "environment": "sandbox",
        "shortcode": SHORTCODE,
        "initiator_name": "sokodemo",
        "base_url": urls.get("simulator") or False,
        "callback_url": urls.get("odoo") or False,
        "auto_approve_limit": AUTO_APPROVE_LIMIT,
        "consumer_key": "demo-consumer-key",
        "consumer_secret": "demo-consumer-secret",
        "security_credential": base64.b64encode(made_up).decode(),
    }


# ---------------------------------------------------------------- pieces
def bring_in(env, sheet):
    """Take the first drop-offs in, inspect them and plate a few pieces; once."""
    from sheets import import_sheet

    parameters = env["ir.config_parameter"].sudo()
    if parameters.get_param(DROPPED_OFF):
        return
    drop_offs = import_sheet(user_env(env, "clerk"), sheet, "soko.drop.off")
    for drop_off in drop_offs:
        drop_off.action_confirm()
    print(f"drop-offs: {len(drop_offs)} taken in")
    if "soko.qc.inspection" in env:
        inspect(env)
        plate(env)
    parameters.set_param(DROPPED_OFF, "True")


def inspect(env):
    """Inspect every piece that waits, with readings around the middle of what passes."""
    inspections = user_env(env, "inspector")["soko.qc.inspection"].search(
        [("state", "=", "draft")], order="id"
    )
    if inspections:
        inspections.action_start()
        for result in inspections.result_ids.filtered(lambda r: r.type == "measure"):
            spread = (result.upper - result.lower) / 10
            middle = (result.upper + result.lower) / 2
            result.value = round(middle + spread * (result.piece_number % 5 - 2), 1)
        inspections.action_all_pass()
        inspections.action_done()
    print(f"inspections: {len(inspections)} done")


def plate(env):
    """Plate some raw pieces: all of them ride on one run in one bath."""
    inspector = user_env(env, "inspector")
    run = inspector["soko.plating.run"]
    for name, quantity in PLATED:
        lot = inspector["stock.lot"].search(
            [("product_id.name", "=", f"{name}, raw brass"), ("product_qty", ">=", quantity)],
            order="id", limit=1,
        )
        if lot:
            run = run.browse(_order_plating(lot, quantity, run).action_confirm()["res_id"])
    if run:
        finish(run)
        print(f"plating: {run.name}, {run.piece_count:g} pieces")


def _order_plating(lot, quantity, run):
    """Return the filled-in form "Plate pieces", with what the form itself suggests."""
    form = lot.env["soko.plating.order"].new({"lot_id": lot.id, "product_id": lot.product_id.id})
    return form.create(
        {"product_id": lot.product_id.id, "lot_id": lot.id, "quantity": quantity,
         "bom_id": form.bom_id._origin.id, "bath_id": form.bath_id._origin.id, "run_id": run.id}
    )


def finish(run):
    """Do the steps before the bath, the bath, and the steps after it."""
    def work_off(orders):
        for order in orders.sorted(lambda o: (o.production_id.id, o.sequence, o.id)):
            order.button_start()
            order.button_finish()

    def steps(before):
        result = run.env["mrp.workorder"]
        for production in run.production_ids:
            orders = production.workorder_ids.sorted(lambda o: (o.sequence, o.id))
            at = list(orders).index(orders.filtered("soko_plating_run_id")[:1])
            result |= orders[:at] if before else orders[at + 1:]
        return result

    work_off(steps(before=True))
    run.write({"current_a": run.suggested_current_a, "minutes": run.suggested_minutes})
    run.action_start()
    run.measured_thickness_um = round(run.process_id.target_thickness_um * 1.05, 2)
    run.action_finish()
    work_off(steps(before=False).filtered(lambda o: o.state not in ("done", "cancel")))
    left = run.production_ids.filtered(lambda p: p.state != "done")
    for production in left:
        production.button_mark_done()
