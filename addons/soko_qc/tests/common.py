from contextlib import contextmanager

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class QcCase(TransactionCase):
    """A warehouse whose receipts are inspected, a raw piece, its plated twin and two owners."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.company = cls.env.company
        cls.warehouse = cls.env["stock.warehouse"].create({"name": "Bench", "code": "BEN"})
        cls.stock = cls.warehouse.lot_stock_id
        cls.hold = cls.warehouse.soko_qc_hold_location_id
        cls.rejected = cls.warehouse.soko_qc_rejected_location_id
        cls.receipts = cls.warehouse.in_type_id
        cls.receipts.soko_qc_required = True
        cls.suppliers = cls.env.ref("stock.stock_location_suppliers")
        cls.customers = cls.env.ref("stock.stock_location_customers")
        cls.amina, cls.juma = cls.env["res.partner"].create(
            [{"name": "Amina Mfano"}, {"name": "Juma Mfano"}]
        )
        cls.category = cls.env["product.category"].create({"name": "Cuffs"})
        cls.raw = cls._create_product("Cuff, raw brass")
        cls.plated = cls._create_product("Cuff, gold plated", soko_plating_area_cm2=40)
        cls.defect = cls.env.ref("soko_qc.soko_qc_defect_sharp")
        cls.scratch = cls.env.ref("soko_qc.soko_qc_defect_scratch")
        # A plan of the house may be there already; the tests choose their own.
        cls.env["soko.qc.plan"].search([]).action_archive()
        cls.inspector = cls._create_user("inspector", "soko_qc.soko_qc_group_inspector")
        cls.manager = cls._create_user("manager", "soko_qc.soko_qc_group_manager")
        cls.clerk = cls._create_user("clerk", "stock.group_stock_user")

    @classmethod
    def _create_user(cls, login, groups):
        return new_test_user(cls.env, f"qc_{login}", groups, company_id=cls.company.id)

    @classmethod
    def _create_product(cls, name, **values):
        return cls.env["product.product"].create(
            {
                "name": name,
                "is_storable": True,
                "tracking": "lot",
                "categ_id": cls.category.id,
                **values,
            }
        )

    @classmethod
    def _create_plan(cls, criteria=True, **values):
        """Two criteria: edges by eye, width by gauge or calliper."""
        commands = [
            Command.create({"name": "Edges are smooth", "severity": "critical"}),
            Command.create(
                {
                    "name": "Width",
                    "type": "measure",
                    "target": 20,
                    "tolerance_minus": 0.5,
                    "tolerance_plus": 0.5,
                    "unit": "mm",
                }
            ),
        ]
        return cls.env["soko.qc.plan"].create(
            {"name": "Cuffs", "criterion_ids": commands if criteria else [], **values}
        )

    @classmethod
    def _create_receipt(cls, quantity, owner, lot_name, product=None, picking_type=None):
        """A receipt of one lot that is ready to be validated."""
        product, picking_type = product or cls.raw, picking_type or cls.receipts
        places = {
            "location_id": cls.suppliers.id,
            "location_dest_id": picking_type.default_location_dest_id.id,
        }
        line = {
            "product_id": product.id,
            "quantity": quantity,
            "owner_id": owner.id,
            **places,
        }
        if product.tracking != "none":
            lot = cls.env["stock.lot"].create({"name": lot_name, "product_id": product.id})
            line["lot_id"] = lot.id
        picking = cls.env["stock.picking"].create(
            {
                "picking_type_id": picking_type.id,
                "partner_id": cls.amina.id,
                "owner_id": owner.id,
                **places,
            }
        )
        cls.env["stock.move"].create(
            {
                "picking_id": picking.id,
                "product_id": product.id,
                "product_uom": product.uom_id.id,
                "product_uom_qty": quantity,
                "move_line_ids": [Command.create({**line, "picking_id": picking.id})],
                **places,
            }
        )
        picking.action_confirm()
        return picking

    @classmethod
    def _receive(cls, quantity=5, owner=None, lot_name="DROP-1", **kwargs):
        """Receive pieces and return their inspections."""
        owner = cls.amina if owner is None else owner
        picking = cls._create_receipt(quantity, owner, lot_name, **kwargs)
        picking.button_validate()
        return picking.soko_inspection_ids

    @classmethod
    def _accept(cls, quantity=4, owner=None, lot_name="DROP-1", **kwargs):
        """Receive and accept pieces; return their lot."""
        inspection = cls._receive(quantity, owner, lot_name, **kwargs)
        inspection.action_all_pass()
        inspection.action_done()
        return inspection.lot_id

    @contextmanager
    def _refuses(self, regex, exception=UserError):
        """Like assertRaisesRegex, but what was refused leaves nothing behind."""
        with self.assertRaises(exception) as caught:
            yield
        self.assertRegex(str(caught.exception), regex)

    def _quantity(self, location, lot=None, owner=None, product=None):
        """Pieces in a location, as the quants tell."""
        quants = self.env["stock.quant"].search([("location_id", "child_of", location.id)])
        quants = quants.filtered(
            lambda q: q.product_id == (product or (lot and lot.product_id) or self.raw)
            and (lot is None or q.lot_id == lot)
            and (owner is None or q.owner_id == owner)
        )
        return sum(quants.mapped("quantity"))


class PlatingCase(QcCase):
    """A gold process, its bath and the bill of materials that uses them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.process = cls.env["soko.plating.process"].create(
            {
                "name": "Gold, 0.5 um",
                "metal": "gold_1",
                "target_thickness_um": 0.5,
                "current_density": 0.5,
                "efficiency": 0.9,
                "price_per_gram": 14000,
            }
        )
        cls.bath = cls.env["soko.plating.bath"].create(
            {"name": "Gold tank", "process_id": cls.process.id, "volume_l": 10}
        )
        cls.workcenter = cls.env["mrp.workcenter"].create({"name": "Plating bench"})
        cls.bom = cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": cls.plated.product_tmpl_id.id,
                "product_qty": 1,
                "picking_type_id": cls.warehouse.manu_type_id.id,
                "bom_line_ids": [Command.create({"product_id": cls.raw.id, "product_qty": 1})],
                "operation_ids": [
                    Command.create(
                        {
                            "name": "Gold plating",
                            "workcenter_id": cls.workcenter.id,
                            "soko_plating_process_id": cls.process.id,
                        }
                    )
                ],
            }
        )

    def _order_plating(self, lot, quantity=1, user=None, **values):
        """Order plating by the small form; return its run."""
        order = self.env["soko.plating.order"].with_user(user or self.inspector)
        action = order.create({"lot_id": lot.id, "quantity": quantity, **values}).action_confirm()
        return self.env["soko.plating.run"].with_user(user or self.inspector).browse(
            action["res_id"]
        )

    def _plate(self, lot, quantity=1, minutes=2, **values):
        """Plate pieces of a lot; return the finished lot."""
        run = self._order_plating(lot, quantity, **values)
        run.action_start()
        run.minutes = minutes
        run.action_finish()
        return run.production_ids.lot_producing_ids
