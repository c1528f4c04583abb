from odoo import Command

from odoo.addons.soko_artisan.tests.common import ArtisanCase


class ArtisanQcCase(ArtisanCase):
    """Amina's raw cuffs, their plated twin, and a bath to get from one to the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A plan of the house may be there already; the tests look plainly.
        cls.env["soko.qc.plan"].search([]).action_archive()
        cls.agreement = cls._create_agreement(cls.amina)
        cls.defect = cls.env.ref("soko_qc.soko_qc_defect_sharp")
        cls.plated = cls._create_product("Cuff, gold plated", soko_plating_area_cm2=40)
        cls.process = cls.env["soko.plating.process"].create({"name": "Gold, 0.5 um"})
        cls.bath = cls.env["soko.plating.bath"].create(
            {"name": "Gold tank", "process_id": cls.process.id}
        )
        cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": cls.plated.product_tmpl_id.id,
                "picking_type_id": cls.warehouse.manu_type_id.id,
                "bom_line_ids": [Command.create({"product_id": cls.cuff.id, "product_qty": 1})],
                "operation_ids": [
                    Command.create(
                        {
                            "name": "Gold plating",
                            "workcenter_id": cls.env["mrp.workcenter"].create({"name": "Bench"}).id,
                            "soko_plating_process_id": cls.process.id,
                        }
                    )
                ],
            }
        )
        cls.inspector = cls._create_user("inspector", "soko_qc.soko_qc_group_inspector")

    @classmethod
    def _inspect(cls, picking, failing=0):
        """Inspect a drop-off as an inspector, who is no artisan officer."""
        inspection = picking.soko_inspection_ids.with_user(cls.inspector)
        inspection.action_start()
        if failing:
            inspection.piece_ids[:failing].defect_ids = cls.defect
        inspection.action_all_pass()
        inspection.action_done()
        return inspection

    @classmethod
    def _plate(cls, lot, quantity=1):
        """Plate pieces of a lot as an inspector; return the plated lot."""
        order = cls.env["soko.plating.order"].with_user(cls.inspector)
        action = order.create({"lot_id": lot.id, "quantity": quantity}).action_confirm()
        run = cls.env["soko.plating.run"].with_user(cls.inspector).browse(action["res_id"])
        run.action_start()
        run.minutes = 2
        run.action_finish()
        return run.production_ids.lot_producing_ids
