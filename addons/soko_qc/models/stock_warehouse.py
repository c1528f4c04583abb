from odoo import api, fields, models


class StockWarehouse(models.Model):
    _inherit = "stock.warehouse"

    soko_qc_hold_location_id = fields.Many2one(
        "stock.location",
        "Hold Location",
        check_company=True,
        help="Where received pieces wait for their inspection. It lies outside the warehouse, so "
        "that nothing here can be promised to a customer.",
    )
    soko_qc_rejected_location_id = fields.Many2one(
        "stock.location",
        "Rejected Location",
        check_company=True,
        help="Where rejected pieces wait for their return or scrap.",
    )
    soko_qc_rework_location_id = fields.Many2one(
        "stock.location",
        "Rework Location",
        check_company=True,
        help="Where pieces wait that their maker is to mend.",
    )
    soko_qc_rework_out_location_id = fields.Many2one(
        "stock.location",
        "Handed Out Location",
        check_company=True,
        help="Pieces that their maker has taken to mend them. They are still ours to account for.",
    )

    soko_qc_return_type_id = fields.Many2one(
        "stock.picking.type",
        "Return Operation",
        check_company=True,
        help="How rejected pieces go back to who delivered them. It is no delivery: nobody is told "
        "that an order was shipped.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        warehouses = super().create(vals_list)
        warehouses._soko_qc_set_up()
        return warehouses

    def _soko_qc_set_up(self):
        """Create the quality locations and the return operation these warehouses lack."""
        self._soko_qc_create_locations()
        self._soko_qc_create_rework_locations()
        self._soko_qc_create_return_type()

    def _soko_qc_create_locations(self):
        # sudo: whoever may create a warehouse may get its locations, as in Odoo's own create.
        locations = self.env["stock.location"].sudo()
        for warehouse in self.filtered(lambda w: not w.soko_qc_hold_location_id):
            common = {"company_id": warehouse.company_id.id}
            view = locations.create(
                {**common, "name": self.env._("%s Quality", warehouse.code), "usage": "view"}
            )
            common.update(location_id=view.id, usage="internal", replenish_location=False)
            hold, rejected = locations.create(
                [
                    {**common, "name": self.env._("On Hold"), "soko_qc_role": "hold"},
                    {**common, "name": self.env._("Rejected"), "soko_qc_role": "rejected"},
                ]
            )
            warehouse.write(
                {
                    "soko_qc_hold_location_id": hold.id,
                    "soko_qc_rejected_location_id": rejected.id,
                }
            )

    def _soko_qc_create_rework_locations(self):
        # sudo: as above.
        locations = self.env["stock.location"].sudo()
        for warehouse in self.filtered(lambda w: not w.soko_qc_rework_location_id):
            common = {
                "company_id": warehouse.company_id.id,
                "usage": "internal",
                "replenish_location": False,
            }
            rework = locations.create(
                {
                    **common,
                    "name": self.env._("Rework"),
                    "location_id": warehouse.soko_qc_hold_location_id.location_id.id,
                    "soko_qc_role": "rework",
                }
            )
            handed_out = locations.create(
                {
                    **common,
                    "name": self.env._("Handed Out"),
                    "location_id": rework.id,
                    "soko_qc_role": "rework_out",
                }
            )
            warehouse.write(
                {
                    "soko_qc_rework_location_id": rework.id,
                    "soko_qc_rework_out_location_id": handed_out.id,
                }
            )

    def _soko_qc_create_return_type(self):
        # sudo: as above.
        picking_types = self.env["stock.picking.type"].sudo()
        for warehouse in self.filtered(lambda w: not w.soko_qc_return_type_id):
            warehouse.soko_qc_return_type_id = picking_types.create(
                {
                    "name": self.env._("Returns of Rejected Pieces"),
                    "code": "internal",
                    "sequence_code": "REJ",
                    "warehouse_id": warehouse.id,
                    "company_id": warehouse.company_id.id,
                    "default_location_src_id": warehouse.soko_qc_rejected_location_id.id,
                    "default_location_dest_id": self.env.ref("stock.stock_location_suppliers").id,
                    "use_create_lots": False,
                    "use_existing_lots": True,
                }
            )
