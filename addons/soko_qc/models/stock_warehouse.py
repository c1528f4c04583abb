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

    @api.model_create_multi
    def create(self, vals_list):
        warehouses = super().create(vals_list)
        warehouses._soko_qc_create_locations()
        return warehouses

    def _soko_qc_create_locations(self):
        """Create the quality locations these warehouses lack."""
        # Whoever may create a warehouse may get its locations, as in Odoo's own create.
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
