from odoo import fields, models


class StockWarehouse(models.Model):
    _inherit = "stock.warehouse"

    soko_drop_off_type_id = fields.Many2one(
        "stock.picking.type", string="Drop-off type", check_company=True, copy=False
    )

    def _get_sequence_values(self, name=False, code=False):
        values = super()._get_sequence_values(name=name, code=code)
        values["soko_drop_off_type_id"] = {
            "name": self.env._("%(name)s Sequence drop-offs", name=name or self.name),
            "prefix": f"{code or self.code}/{self.soko_drop_off_type_id.sequence_code or 'DROP'}/",
            "padding": 5,
            "company_id": self.company_id.id,
        }
        return values

    def _get_picking_type_create_values(self, max_sequence):
        data, next_sequence = super()._get_picking_type_create_values(max_sequence)
        data["soko_drop_off_type_id"] = {
            "name": self.env._("Drop-offs"),
            "code": "incoming",
            "soko_is_drop_off": True,
            "use_create_lots": True,
            "use_existing_lots": True,
            "default_location_src_id": self.env.ref("stock.stock_location_suppliers").id,
            "sequence": next_sequence + 1,
            "sequence_code": "DROP",
            "company_id": self.company_id.id,
        }
        return data, next_sequence + 2

    def _get_picking_type_update_values(self):
        data = super()._get_picking_type_update_values()
        data["soko_drop_off_type_id"] = {
            "active": self.active,
            "default_location_dest_id": self.lot_stock_id.id,
            "barcode": self.code.replace(" ", "").upper() + "DROP",
        }
        return data

    def _soko_ensure_drop_off_type(self):
        """Make the drop-off type of warehouses that have none yet."""
        for warehouse in self.filtered(lambda wh: not wh.soko_drop_off_type_id):
            warehouse.write(warehouse._create_or_update_sequences_and_picking_types())
