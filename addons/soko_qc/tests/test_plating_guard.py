from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import PlatingCase


class GuardCase(PlatingCase):
    """Plated lots of two pieces, and ways to bring them to a customer."""

    def _plate_measured(self, *readings, name="A"):
        """Two plated pieces with these readings; their lot."""
        run = self._order_plating(self._accept(2, lot_name=name), 2)
        run.action_start()
        run.minutes = 2
        run.action_finish()
        self._read(run, *readings)
        return run.production_ids.lot_producing_ids

    def _read(self, run, *readings):
        return self.env["soko.plating.reading"].with_user(self.inspector).create(
            [
                {
                    "run_id": run.id,
                    "workorder_id": run.workorder_ids.id,
                    "piece": piece,
                    "thickness_um": thickness,
                }
                for piece, thickness in enumerate(readings, 1)
            ]
        )

    def _create_delivery(self, *lines):
        """A confirmed delivery with these move lines of the plated product."""
        places = {"location_id": self.stock.id, "location_dest_id": self.customers.id}
        picking = self.env["stock.picking"].create(
            {"picking_type_id": self.warehouse.out_type_id.id, **places}
        )
        common = {"product_id": self.plated.id, "owner_id": self.amina.id, "picked": True}
        self.env["stock.move"].create(
            {
                "picking_id": picking.id,
                "product_id": self.plated.id,
                "product_uom": self.plated.uom_id.id,
                "product_uom_qty": 1,
                "picked": True,
                "move_line_ids": [
                    Command.create({"picking_id": picking.id, **common, **places, **line})
                    for line in lines
                ],
                **places,
            }
        )
        picking.action_confirm()
        return picking


@tagged("post_install", "-at_install")
class TestPlatingGuard(GuardCase):
    def test_verdict_is_not_the_one_that_was_read_before(self):
        lot = self._plate_measured(0.55)
        run = lot._soko_get_plating_workorders().soko_plating_run_id
        self.assertEqual(lot.soko_plating_verdict, "pass")
        self._read(run, 0.2)
        with self.assertRaisesRegex(UserError, "too thin"):
            self._create_delivery({"lot_id": lot.id, "quantity": 1})._action_done()
        # And the other way round: measured again, a thick layer goes.
        run.reading_ids.with_user(self.manager).write({"thickness_um": 0.6})
        self._create_delivery({"lot_id": lot.id, "quantity": 1})._action_done()
        self.assertEqual(self._quantity(self.stock, lot), 1)

    def test_typed_lot(self):
        """Odoo finds the lot of a typed name while it moves the line, so after the guard."""
        self.warehouse.out_type_id.use_create_lots = True
        lot, good = self._plate_measured(0.2), self._plate_measured(0.6, name="B")
        thin = self._create_delivery({"lot_name": lot.name, "quantity": 1})
        self.assertFalse(thin.move_line_ids.lot_id)
        with self.assertRaisesRegex(UserError, "too thin"):
            thin._action_done()
        self._create_delivery({"lot_name": good.name, "quantity": 1})._action_done()
        self.assertEqual(self._quantity(self.stock, good), 1)
        # The same name on another product is another lot.
        twin = self.env["stock.lot"].create({"name": lot.name, "product_id": self.raw.id})
        lines = self._create_delivery({"lot_name": lot.name, "quantity": 1}).move_line_ids
        self.assertEqual(list(lines._soko_get_lots().values()), [lot])
        self.assertNotEqual(lot, twin)

    def test_typed_lot_on_hold(self):
        """The same for pieces that wait for their inspection."""
        self.warehouse.out_type_id.use_create_lots = True
        held = self._receive(1, lot_name="HELD", product=self.plated).lot_id
        picking = self._create_delivery({"lot_name": held.name, "quantity": 1})
        with self.assertRaisesRegex(UserError, "on hold or rejected"):
            picking._action_done()

    def test_lines_of_zero_move_nothing(self):
        """They stop nobody: Odoo deletes them."""
        lot, good = self._plate_measured(0.2), self._plate_measured(0.6, name="B")
        picking = self._create_delivery(
            {"lot_id": lot.id, "quantity": 0}, {"lot_id": good.id, "quantity": 1}
        )
        picking._action_done()
        self.assertEqual(picking.move_line_ids.lot_id, good)
        self.assertEqual(self._quantity(self.customers, good), 1)
        self.assertEqual(self._quantity(self.customers, lot), 0)
        held = self._receive(1, lot_name="HELD", product=self.plated).lot_id
        picking = self._create_delivery(
            {"lot_id": held.id, "quantity": 0, "location_id": self.hold.id},
            {"lot_id": good.id, "quantity": 1},
        )
        picking._action_done()
        self.assertEqual(self._quantity(self.hold, held), 1)

    def test_correction_of_a_done_delivery(self):
        """Changing a done line moves pieces without a new move."""
        lot, good = self._plate_measured(0.2), self._plate_measured(0.6, name="B")
        picking = self._create_delivery({"lot_id": good.id, "quantity": 1})
        picking._action_done()
        line = picking.move_line_ids
        with self.assertRaisesRegex(UserError, "too thin"), self.cr.savepoint():
            line.lot_id = lot
        with self.assertRaisesRegex(UserError, "too thin"), self.cr.savepoint():
            line.copy({"lot_id": lot.id, "move_id": line.move_id.id, "quantity": 1})
        line.invalidate_recordset()
        self._read(good._soko_get_plating_workorders().soko_plating_run_id, 0.1)
        with self.assertRaisesRegex(UserError, "too thin"), self.cr.savepoint():
            line.quantity = 2
        line.invalidate_recordset()
        line.quantity = 0
        self.assertEqual(self._quantity(self.stock, good), 2, "taken back, thin or not")

    def test_order_closed_past_the_bath(self):
        """Nobody measured what never was on a run."""
        self.process.measure_required = True
        run = self._order_plating(self._accept(2), 2)
        order = run.production_ids
        order.workorder_ids.soko_plating_run_id = False
        order.with_context(skip_redirection=True).button_mark_done()
        lot = order.lot_producing_ids
        self.assertEqual((order.state, lot.soko_plating_verdict), ("done", "unmeasured"))
        self.assertFalse(lot._soko_get_plating_workorders())
        with self.assertRaisesRegex(UserError, "not measured"):
            self._create_delivery({"lot_id": lot.id, "quantity": 1})._action_done()

    def test_raw_pieces_without_lots(self):
        """Their plated lot comes from no lot, and is guarded all the same."""
        self.raw.tracking = "none"
        quants = self.env["stock.quant"]
        quants._update_available_quantity(self.raw, self.stock, 2, owner_id=self.amina)
        orders = self.env["soko.plating.order"].with_user(self.inspector)
        order = orders.create({"product_id": self.raw.id, "quantity": 2})
        run = self.env["soko.plating.run"].browse(order.action_confirm()["res_id"])
        run.action_start()
        run.minutes = 2
        run.action_finish()
        self._read(run, 0.2)
        lot = run.production_ids.lot_producing_ids
        self.assertFalse(lot.soko_origin_lot_id)
        with self.assertRaisesRegex(UserError, "too thin"):
            self._create_delivery({"lot_id": lot.id, "quantity": 1})._action_done()

    def test_guard_costs_the_same_for_many_lots(self):
        """One look for all lots that were never plated here."""
        lots = self.env["stock.lot"].create(
            [{"name": f"N{number}", "product_id": self.plated.id} for number in range(20)]
        )
        counts = []
        for some in (lots[:1], lots):
            picking = self._create_delivery(*({"lot_id": x.id, "quantity": 1} for x in some))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            picking.move_line_ids._soko_check_plating()
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(*counts)


@tagged("post_install", "-at_install")
class TestPlatingForged(GuardCase):
    """`readonly` keeps no RPC call away."""

    def _deny(self, call):
        with self.assertRaises(AccessError), self.cr.savepoint():
            call()

    def test_release(self):
        lot, field = self._plate_measured(0.2), "soko_plating_released_by_id"
        values = {"name": "FORGED", "product_id": self.plated.id}
        for user in (self.clerk, self.inspector):
            lots = self.env["stock.lot"].with_user(user)
            self._deny(lambda lots=lots: lots.create({**values, field: self.manager.id}))
            self._deny(lambda lots=lots: lots.browse(lot.id).write({field: self.manager.id}))
            self._deny(lambda lots=lots: lots.browse(lot.id).action_soko_release_plating())
        # No default opens it: neither of the context nor of the user's own.
        lots = self.env["stock.lot"].with_user(self.clerk)
        made = lots.with_context(default_soko_plating_released_by_id=self.manager.id).create(values)
        self.assertFalse(made.soko_plating_released_by_id)
        self.env["ir.default"].with_user(self.clerk).set(
            "stock.lot", field, self.manager.id, user_id=True
        )
        self.assertFalse(lots.create({**values, "name": "FORGED-2"}).soko_plating_released_by_id)
        self._check_manager_releases(lot)

    def _check_manager_releases(self, lot):
        """In the manager's own name, and only a manager takes it back."""
        field = "soko_plating_released_by_id"
        self._deny(lambda: lot.with_user(self.manager).write({field: self.inspector.id}))
        lot.with_user(self.manager).action_soko_release_plating()
        self.assertEqual(lot.soko_plating_released_by_id, self.manager)
        self._deny(lambda: lot.with_user(self.clerk).write({field: False}))
        lot.with_user(self.manager).write({field: False})
        self.assertFalse(lot.soko_plating_released_by_id)

    def test_raw_lot(self):
        """It says where a piece comes from, and what its inspection covers."""
        raw, lot = self._accept(1, lot_name="RAW"), self._plate_measured(0.6)
        values = {"name": "FORGED", "product_id": self.plated.id}
        for user in (self.clerk, self.inspector, self.manager):
            lots = self.env["stock.lot"].with_user(user)
            vals = {"soko_origin_lot_id": raw.id}
            self._deny(lambda lots=lots, vals=vals: lots.create({**values, **vals}))
            self._deny(lambda lots=lots, vals=vals: lots.browse(lot.id).write(vals))
            self._deny(lambda lots=lots: lots.browse(lot.id).write({"soko_origin_lot_id": False}))
            link = {"soko_derived_lot_ids": [Command.link(lot.id)]}
            self._deny(lambda lots=lots, link=link: lots.browse(raw.id).write(link))
        lots = self.env["stock.lot"].with_user(self.clerk)
        made = lots.with_context(default_soko_origin_lot_id=raw.id).create(values)
        self.assertFalse(made.soko_origin_lot_id)
        self.assertEqual(lot.soko_origin_lot_id.name, "A")

    def test_run(self):
        """A run that is not done any more would stop no thin piece."""
        lot = self._plate_measured(0.2)
        run = lot._soko_get_plating_workorders().soko_plating_run_id.with_user(self.inspector)
        for vals in (
            {"state": "cancel"},
            {"price_per_gram": 1},
            {"booked_metal_g": 0},
            {"area_cm2": 1},
            {"metal_cost": 0},
        ):
            self._deny(lambda vals=vals: run.write(vals))
        runs = self.env["soko.plating.run"].with_user(self.inspector)
        self._deny(lambda: runs.create({"bath_id": self.bath.id, "state": "done"}))
        made = runs.with_context(default_state="done").create({"bath_id": self.bath.id})
        self.assertEqual((run.state, made.state), ("done", "draft"))
        with self.assertRaisesRegex(UserError, "evidence"):
            run.reading_ids.write({"thickness_um": 0.6})
        run.reading_ids.with_user(self.manager).thickness_um = 0.3
        self.assertEqual(lot.soko_plating_verdict, "under")
