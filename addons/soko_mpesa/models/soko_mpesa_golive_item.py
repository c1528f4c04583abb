from odoo import fields, models


class SokoMpesaGoliveItem(models.Model):
    """A point that must be seen to before real money moves, or with the first payouts."""

    _name = "soko.mpesa.golive.item"
    _description = "M-Pesa go-live list: point"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "stage, sequence, id"

    name = fields.Char(required=True, translate=True)
    how = fields.Text(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    stage = fields.Selection(
        [("1_before", "Before real money moves"), ("2_first", "With the first payouts")],
        required=True, default="1_before",
        help="Points of the first kind must be done before a production account sends.",
    )
    needs_two = fields.Boolean(
        string="Two persons", help="A manager ticks it, then an approver who is somebody else.",
    )
    check_code = fields.Char(
        string="Point of the set-up check",
        help="Done by itself when the last check found this point in order.",
    )
