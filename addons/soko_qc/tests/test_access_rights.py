from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged

from .common import PlatingCase


@tagged("post_install", "-at_install")
class TestAccessRights(PlatingCase):
    def _deny(self, call):
        with self.assertRaises(AccessError):
            call()

    def test_inspector(self):
        """Inspects and plates; sets nothing up."""
        plan = self._create_plan()
        inspection = self._receive(2).with_user(self.inspector)
        inspection.action_all_pass()
        inspection.action_done()
        run = self._order_plating(inspection.lot_id)
        run.action_start()
        run.minutes = 2
        run.action_finish()
        self.assertEqual(run.state, "done")
        self._deny(lambda: plan.with_user(self.inspector).write({"name": "Mine"}))
        self._deny(lambda: self.process.with_user(self.inspector).write({"efficiency": 0.5}))
        self._deny(lambda: self.defect.with_user(self.inspector).write({"severity": "minor"}))
        self._deny(lambda: inspection.copy())

    def test_inspector_writes_no_decision(self):
        """`readonly` keeps no RPC call away: only the steps decide, and move pieces."""
        plan = self._create_plan()
        inspection = self._receive(2).with_user(self.inspector)
        customers = self.env.ref("stock.stock_location_customers")
        for vals in (
            {"state": "done"},
            {"qty_accepted": 2},
            {"quantity": 1},
            {"owner_id": False},
            {"location_dest_id": customers.id},
        ):
            with self.subTest(vals):
                self._deny(lambda vals=vals: inspection.write(vals))
        inspection.write({"plan_id": plan.id, "note": "Nice work"})
        inspection.action_start()
        self._deny(lambda: inspection.write({"plan_id": False}))
        inspection.action_cancel()
        inspection.action_draft()
        self.assertEqual((inspection.state, inspection.qty_accepted), ("draft", 0))

    def test_inspector_closes_an_order_that_took_no_time(self):
        """Odoo then books the expected time; cost lines of it are not the inspector's business."""
        run = self._order_plating(self._accept(1))
        order = run.production_ids
        with freeze_time("2026-03-02 08:00:00"):
            run.action_start()
            run.minutes = 2
            order.workorder_ids.button_finish()
        self.env.flush_all()
        self.env.invalidate_all()  # what the system has read is no right of hers
        self.assertEqual(order.workorder_ids.mapped("duration"), [0])
        order.with_context(skip_redirection=True).button_mark_done()
        self.assertEqual(order.state, "done")

    def test_manager(self):
        """Sets up and inspects."""
        plan = self._create_plan().with_user(self.manager)
        plan.name = "Renamed"
        self.process.with_user(self.manager).efficiency = 0.8
        inspection = self._receive(1).with_user(self.manager)
        inspection.action_all_pass()
        inspection.action_done()
        self.assertEqual(inspection.decision, "accepted")

    def test_inventory_user(self):
        """Receives pieces, which makes inspections, and reads them; decides nothing."""
        picking = self._create_receipt(2, self.amina, "CLERK")
        picking.with_user(self.clerk).button_validate()
        inspection = picking.with_user(self.clerk).soko_inspection_ids
        self.assertEqual((inspection.state, inspection.quantity), ("draft", 2))
        for method in ("action_start", "action_all_pass", "action_cancel"):
            self._deny(getattr(inspection, method))
        inspection.sudo().action_all_pass()
        self._deny(inspection.action_done)
        self._deny(lambda: inspection.piece_ids.write({"result": "fail"}))
        self._deny(lambda: self.env["soko.plating.order"].with_user(self.clerk).create(
            {"lot_id": inspection.lot_id.id}
        ))

    def test_employee_sees_nothing(self):
        employee = self._create_user("employee", "base.group_user")
        inspection = self._receive(1)
        for record in (inspection, self.process, self.bath):
            self._deny(lambda record=record: record.with_user(employee).read(["display_name"]))

    def test_other_company_is_hidden(self):
        inspection = self._receive(1)
        other = self.env["res.company"].create({"name": "Other workshop"})
        self.inspector.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        inspections = self.env["soko.qc.inspection"].with_user(self.inspector)
        self.assertFalse(inspections.search([("id", "=", inspection.id)]))
        processes = self.env["soko.plating.process"].with_user(self.inspector)
        self.assertFalse(processes.search([("id", "=", self.process.id)]))

    def test_new_company_warehouse_has_its_locations(self):
        company = self.env["res.company"].create({"name": "Third workshop"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", company.id)])
        hold = warehouse.soko_qc_hold_location_id
        self.assertEqual((hold.soko_qc_role, hold.company_id), ("hold", company))
        self.assertFalse(hold.warehouse_id)
        rejected = warehouse.soko_qc_rejected_location_id
        self.assertEqual(rejected.soko_qc_role, "rejected")
        self.assertEqual(warehouse.soko_qc_return_type_id.default_location_src_id, rejected)
