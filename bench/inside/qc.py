"""What bench/qc.py measures inside Odoo's shell; its JSON lines begin with BENCH.

The same code runs on two databases, with and without the add-on: the same receipts, lots, bills of
materials and orders.
"""
# ruff: noqa: F821  Odoo's shell gives `env`
import logging
import os
import sys

sys.path.insert(0, os.environ["BENCH_INSIDE"])

from meter import Meter, tell  # noqa: E402

from odoo import Command  # noqa: E402

RECEIPTS, PIECES = int(os.environ["BENCH_RECEIPTS"]), int(os.environ["BENCH_PIECES"])
ORDERS, FEW = int(os.environ["BENCH_ORDERS"]), int(os.environ["BENCH_FEW"])
WITH = "soko.qc.inspection" in env
env = env(context=dict(env.context, tracking_disable=True))
meter = Meter()
house = env["stock.warehouse"].search([("company_id", "=", env.company.id)], limit=1)
suppliers = env.ref("stock.stock_location_suppliers")


def fresh(work):
    """Measure `work` as a request would do it: with nothing in the cache, written at the end."""
    env.cr.commit()
    env.invalidate_all()

    def step():
        work()
        env.flush_all()

    return meter.measure(step)


def product(name, **more):
    category = env["product.category"].create({
        "name": name, "property_cost_method": "standard", "property_valuation": "periodic"})
    return env["product.product"].create({
        "name": name, "is_storable": True, "tracking": "lot", "categ_id": category.id,
        "standard_price": 300, **more})


def receipts(raw, count, pieces):
    """Return receipts of one lot each, ready to be validated."""
    places = {"location_id": suppliers.id,
              "location_dest_id": house.in_type_id.default_location_dest_id.id}
    lots = env["stock.lot"].create([
        {"name": f"RAW-{raw.id}-{number}", "product_id": raw.id} for number in range(count)])
    pickings = env["stock.picking"].create([
        {"picking_type_id": house.in_type_id.id, **places} for _lot in lots])
    env["stock.move"].create([{
        "picking_id": picking.id, "product_id": raw.id, "product_uom_qty": pieces, **places,
        "move_line_ids": [Command.create({
            "picking_id": picking.id, "product_id": raw.id, "quantity": pieces,
            "lot_id": lot.id, **places})],
    } for picking, lot in zip(pickings, lots, strict=True)])
    pickings.action_confirm()
    return pickings


def measure_inspections():
    """Validate receipts one by one, as a clerk does; then inspect and decide each."""
    raw = product("Inspected cuff")
    if WITH:
        house.in_type_id.soko_qc_required = True
        env["soko.qc.plan"].create({
            "name": "Cuffs", "product_tmpl_ids": [Command.set(raw.product_tmpl_id.ids)],
            "criterion_ids": [Command.create({"name": "Edges are smooth"})]})
    made = receipts(raw, RECEIPTS, PIECES)
    tell("receive", chunks=[fresh(picking.button_validate) for picking in made], count=RECEIPTS)
    if WITH:
        found = made.soko_inspection_ids
        assert len(found) == RECEIPTS
        tell("look", chunks=[fresh(one.action_all_pass) for one in found], count=RECEIPTS)
        tell("decide", chunks=[fresh(one.action_done) for one in found], count=RECEIPTS)
        assert set(found.mapped("decision")) == {"accepted"}
        house.in_type_id.soko_qc_required = False


def set_up_plating(raw, plated):
    operation = {"name": "Gold plating",
                 "workcenter_id": env["mrp.workcenter"].create({"name": "Plating"}).id}
    if WITH:
        process = env["soko.plating.process"].create({
            "name": "Gold", "metal": "gold_1", "target_thickness_um": 0.5,
            "current_density": 0.5, "efficiency": 0.9, "price_per_gram": 14000})
        operation["soko_plating_process_id"] = process.id
        env["soko.plating.bath"].create(
            {"name": "Tank", "process_id": process.id, "volume_l": 10})
    return env["mrp.bom"].create({
        "product_tmpl_id": plated.product_tmpl_id.id, "product_qty": 1,
        "picking_type_id": house.manu_type_id.id,
        "bom_line_ids": [Command.create({"product_id": raw.id, "product_qty": 1})],
        "operation_ids": [Command.create(operation)]})


def orders(bom, plated, count):
    """Return confirmed orders, each of one piece of a lot of its own."""
    made = env["mrp.production"].create([{
        "product_id": plated.id, "product_qty": 1, "bom_id": bom.id,
        "picking_type_id": house.manu_type_id.id} for _number in range(count)])
    made.action_confirm()
    made.action_assign()
    return made


def finish(made):
    """Take orders through their one step, as a plater does with a whole rack."""
    if WITH:
        bath = env["soko.plating.bath"].search([], limit=1)
        rack = env["soko.plating.run"].create({
            "bath_id": bath.id, "workorder_ids": [Command.set(made.workorder_ids.ids)]})
        rack.action_start()
        rack.minutes = 2
        rack.action_finish()
        return
    lots = env["stock.lot"].create([
        {"name": f"OUT-{order.id}", "product_id": order.product_id.id} for order in made])
    for order, lot in zip(made, lots, strict=True):
        order.lot_producing_ids = lot
    made.workorder_ids.button_start()
    made.workorder_ids.button_finish()
    made.with_context(skip_redirection=True).button_mark_done()


def measure_orders():
    raw, more = product("Raw cuff"), {"soko_plating_area_cm2": 40} if WITH else {}
    plated = product("Plated cuff", **more)
    bom = set_up_plating(raw, plated)
    receipts(raw, ORDERS + 2 * FEW, 1).button_validate()
    finish(orders(bom, plated, FEW))  # warm
    made = env["mrp.production"]
    for name, count in (("few", FEW), ("orders", ORDERS)):
        ids = []

        def work(count=count, ids=ids):
            some = orders(bom, plated, count)
            finish(some)
            ids.extend(some.ids)

        tell(name, **fresh(work))
        made |= made.browse(ids)
    lots = made.lot_producing_ids
    tell("checked", open=len(made.filtered(lambda order: order.state != "done")),
         lost=len(lots.filtered(lambda lot: not lot.soko_origin_lot_id)) if WITH else 0)
    assert len(lots) == len(made)


try:
    measure_inspections()
    measure_orders()
    env.cr.commit()
except Exception:
    logging.getLogger("bench").exception("the measurement failed")  # the launcher shows the log
    raise
