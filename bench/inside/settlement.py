"""What bench/settlement.py measures inside Odoo's shell; its JSON lines begin with BENCH.

The same code runs on two databases, with and without the add-on: goods of owners, the same lots,
the same orders. What differs is what the add-on does.
"""
# ruff: noqa: F821  Odoo's shell gives `env`
import logging
import os
import statistics
import sys

sys.path.insert(0, os.environ["BENCH_INSIDE"])

from meter import CHUNK, Meter, chunks, tell  # noqa: E402

from odoo import Command, api, fields  # noqa: E402

PAYEES, LINES = int(os.environ["BENCH_PAYEES"]), int(os.environ["BENCH_LINES"])
OWNERS = int(os.environ["BENCH_OWNERS"])
SIZES, REPEAT, PRICE = (1, 10, 50), 5, 350
WITH = "soko.artisan" in env
env = env(context=dict(env.context, tracking_disable=True))
meter = Meter()
shelf = env["stock.warehouse"].search([("company_id", "=", env.company.id)], limit=1).lot_stock_id


def middle(figures):
    """Return the medians of several measurements of one thing."""
    return {key: statistics.median(part[key] for part in figures) for key in ("sql", "ms")}


def fresh(work):
    """Measure `work` as a request would do it: with nothing in the cache, written at the end."""
    env.cr.commit()
    env.invalidate_all()

    def step():
        work()
        env.flush_all()

    return meter.measure(step)


# ---------------------------------------------------------------------- people and goods
def owners(count):
    """Return partners; with the add-on each is an artisan."""
    names = [f"Owner {number} Mfano" for number in range(count)]
    if WITH:
        artisans = env["soko.artisan"].create([{"name": name} for name in names])
        return list(artisans.partner_id)
    return list(env["res.partner"].create([{"name": name} for name in names]))


def products(count, consigned):
    category = env["product.category"].create({
        "name": "Bench", "property_cost_method": "standard",
        "property_valuation": "periodic"})
    more = {"soko_consigned": True} if WITH and consigned else {}
    return list(env["product.product"].create([{
        "name": f"Cuff {number}", "is_storable": True, "tracking": "lot", "list_price": 1500,
        "categ_id": category.id, "taxes_id": [Command.clear()], "standard_price": 0, **more,
    } for number in range(count)]))


def stock(product, owner, quantity):
    """Put pieces on the shelf as one lot, in the name of the owner or our own."""
    terms = {}
    if WITH and owner:
        artisan = env["soko.artisan"].search([("partner_id", "=", owner.id)], limit=1)
        terms = {
            "soko_artisan_id": artisan.id, "soko_price_type": "fixed", "soko_unit_price": PRICE,
            "soko_drop_off_date": fields.Date.today()}
    lot = env["stock.lot"].create({"product_id": product.id, **terms})
    env["stock.quant"]._update_available_quantity(
        product, shelf, quantity, lot_id=lot, owner_id=owner or None)


def order(goods, shopper):
    return env["sale.order"].create({
        "partner_id": shopper.id, "order_line": [Command.create({
            "product_id": product.id, "product_uom_qty": 1, "price_unit": 1500,
        }) for product in goods]})


# ---------------------------------------------------------------------- deliveries
def deliver(goods, shopper):
    """Sell and ship one of each; return what both steps took."""
    sold = order(goods, shopper)
    reserved = fresh(sold.action_confirm)
    picking = sold.picking_ids
    assert picking.state == "assigned", picking.state
    picking.move_ids.picked = True
    shipped = fresh(picking._action_done)
    assert picking.state == "done"
    env.cr.commit()
    return reserved, shipped


def measure_deliveries():
    shopper = env["res.partner"].create({"name": "Shopper Mfano"})
    for kind, people in (("owned", owners(max(SIZES))), ("own", [None] * max(SIZES))):
        goods = products(max(SIZES), kind == "owned")
        for product, owner in zip(goods, people, strict=True):
            stock(product, owner, 10 * REPEAT)
        deliver(goods[:3], shopper)  # warm
        for size in SIZES:
            both = [deliver(goods[:size], shopper) for _time in range(REPEAT)]
            tell(f"reserve {kind} {size}", **middle([reserved for reserved, _s in both]))
            tell(f"ship {kind} {size}", **middle([shipped for _r, shipped in both]))


# ---------------------------------------------------------------------- reservation, receipts
def assign(product, moves, owner):
    """Reserve one piece by each of `moves` moves; return what it took."""
    kind = env.ref("stock.picking_type_out")
    customers = env.ref("stock.stock_location_customers")
    pickings = env["stock.picking"].create([{
        "picking_type_id": kind.id, "location_id": shelf.id, "location_dest_id": customers.id,
        "owner_id": owner.id if owner else False, "move_ids": [Command.create({
            "product_id": product.id, "product_uom_qty": 1, "location_id": shelf.id,
            "location_dest_id": customers.id})],
    } for _move in range(moves)])
    pickings.action_confirm()
    pickings.do_unreserve()
    found = fresh(pickings.action_assign)
    taken = pickings.move_line_ids.owner_id
    assert not owner or not WITH or taken == owner, taken
    pickings.action_cancel()
    env.cr.commit()
    return found


def measure_reservation():
    for count in (10, OWNERS):
        people, [product] = owners(count), products(1, True)
        for owner in people:
            stock(product, owner, 50)
        env.cr.commit()
        env.cr.execute("ANALYZE stock_quant, stock_lot")
        for name, owner in (("given", people[-1]), ("any", None)):
            assign(product, 2, owner)  # warm
            tell(f"assign {name} {'few' if count == 10 else 'many'}", **middle(
                [assign(product, 50, owner) for _time in range(3)]))


def receive(goods, owner):
    kind = env.ref("stock.picking_type_in")
    picking = env["stock.picking"].create({
        "picking_type_id": kind.id, "location_id": kind.default_location_src_id.id,
        "location_dest_id": shelf.id, "owner_id": owner.id if owner else False,
        "move_ids": [Command.create({
            "product_id": product.id, "product_uom_qty": 1, "location_dest_id": shelf.id,
            "location_id": kind.default_location_src_id.id}) for product in goods]})
    picking.action_confirm()
    lots = env["stock.lot"].create([{"product_id": product.id} for product in goods])
    for line, lot in zip(picking.move_line_ids, lots, strict=True):
        line.write({"lot_id": lot.id, "quantity": 1})
    picking.move_ids.picked = True
    return fresh(picking._action_done)


def measure_receipts():
    [owner], goods = owners(1), products(100, True)
    receive(goods[:3], owner)  # warm
    both = [(receive(goods, owner), receive(goods, None)) for _time in range(3)]
    tell("receive owned", **middle([owned for owned, _own in both]))
    tell("receive own", **middle([own for _owned, own in both]))


# ---------------------------------------------------------------------- settling
def bank():
    journal = env["account.journal"].create({"name": "Bench", "code": "BNCHS", "type": "bank"})
    journal.outbound_payment_method_line_ids.payment_account_id = env["account.account"].create({
        "name": "Outstanding", "code": "101498", "account_type": "asset_current",
        "reconcile": True})
    return journal


def plain_part(partners, each, journal):
    """Bill, post, pay and match a hundred as plain Odoo does it best, in a cursor of their own."""
    with env.registry.cursor() as cr:
        inner = api.Environment(cr, 1, {"allowed_company_ids": [env.company.id]})
        bills = inner["account.move"].create([{
            "move_type": "in_invoice", "partner_id": partner, "invoice_date": fields.Date.today(),
            "invoice_line_ids": [Command.create({
                "name": "Cuff", "quantity": 1, "price_unit": PRICE, "tax_ids": []})] * each,
        } for partner in partners])
        bills.action_post()
        payments = inner["account.payment"].create([{
            "payment_type": "outbound", "partner_type": "supplier", "memo": bill.name,
            "partner_id": bill.partner_id.id, "amount": bill.amount_residual,
            "journal_id": journal.id, "date": fields.Date.today(),
        } for bill in bills])
        payments.action_post()
        lines = (bills.line_ids | payments.move_id.line_ids).filtered(
            lambda line: line.account_id.account_type == "liability_payable")
        inner["account.move.line"]._reconcile_plan(list(lines.grouped("partner_id").values()))


def measure_plain_bills():
    """What the same bills and payments cost without the add-on; one line a bill."""
    journal, people = bank(), [partner.id for partner in owners(PAYEES)]
    env.cr.commit()
    plain_part(people[:20], 1, journal)  # warm
    tell("plain", chunks=[
        meter.measure(lambda part=part: plain_part(part, 1, journal)) for part in chunks(people)])


def due_lines(people, each):
    """Make due lines of these payees, `each` of them for every one, by SQL: they are many."""
    [product] = products(1, True)
    # by their contacts: other parts of the measurement have made owners of the same names
    artisans = env["soko.artisan"].search([
        ("partner_id", "in", [partner.id for partner in people])])
    assert len(artisans) == PAYEES, len(artisans)
    columns = {
        "artisan_id": "artisan.id", "payee_id": "artisan.partner_id",
        "company_id": str(env.company.id), "currency_id": str(env.company.currency_id.id),
        "kind": "'sale'", "date": "current_date", "due_date": "current_date",
        "product_id": str(product.id), "quantity": "1", "quantity_kept": "1",
        "price_unit": str(PRICE), "amount": str(PRICE), "state": "'due'",
        "create_date": "now()", "write_date": "now()", "create_uid": "1", "write_uid": "1",
    }
    env.cr.execute(
        f"INSERT INTO soko_settlement_line ({', '.join(columns)}) "
        f"SELECT {', '.join(columns.values())} FROM soko_artisan artisan, generate_series(1, %s) "
        "WHERE artisan.id = ANY(%s)", [each, artisans.ids])
    env.cr.commit()
    env.cr.execute("ANALYZE soko_settlement_line")
    env.cr.commit()
    env.invalidate_all()


def settle_all():
    """Let the scheduled action work until nothing is due; return the figures of its run.

    Besides, what each full chunk of payees took from the bill to the matching.
    """
    Settlement, parts = type(env["soko.settlement"]), []
    plain = Settlement._process

    def process(settlements):
        figures = meter.measure(lambda: plain(settlements))
        if len(settlements) == CHUNK:
            parts.append(figures)

    def work():
        job = env.ref("soko_artisan.ir_cron_settle_due")
        while env["soko.settlement.line"].search_count([("state", "=", "due")], limit=1):
            job.method_direct_trigger()
            env.cr.commit()

    Settlement._process = process
    try:
        return meter.measure(work) | {"parts": parts}
    finally:
        Settlement._process = plain


def measure_settling():
    journal = bank()
    env.company.soko_auto_pay = True
    people = owners(PAYEES)
    for partner in people:
        partner.property_outbound_payment_method_line_id = (
            journal.outbound_payment_method_line_ids[:1])
    due_lines(people, 1)
    tell("settle 1", **settle_all())
    due_lines(people, LINES)
    Line = env["soko.settlement.line"]
    tell("collect", **fresh(lambda: Line._read_group(
        Line._get_due_domain(), ["company_id", "payee_id"], ["amount:sum", "__count"])))
    tell("settle many", **settle_all())
    settlements = env["soko.settlement"].search([])
    # the whole sum is in the books, and nothing else
    tell("settled", payees=PAYEES, settlements=len(settlements),
         unpaid=len(settlements.filtered(lambda one: one.state not in ("paid", "in_payment"))),
         sum=sum(settlements.bill_id.mapped("amount_total")), wanted=PRICE * PAYEES * (LINES + 1))


PARTS = {
    "stock": lambda: (measure_deliveries(), measure_reservation(), measure_receipts()),
    "bills": measure_plain_bills, "settle": measure_settling,
}
try:
    PARTS[os.environ["BENCH_PART"]]()
    env.cr.commit()
except Exception:
    logging.getLogger("bench").exception("the measurement failed")  # the launcher shows the log
    raise
