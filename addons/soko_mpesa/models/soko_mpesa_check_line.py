from odoo import fields, models


class SokoMpesaCheckLine(models.Model):
    """One thing that was looked at: how it is, what was tried, what it means, what to do."""

    _name = "soko.mpesa.check.line"
    _description = "M-Pesa set-up check: line"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "check_id, sequence, id"
    _allow_sudo_commands = False

    check_id = fields.Many2one(
        "soko.mpesa.check", required=True, index=True, ondelete="cascade", readonly=True,
    )
    company_id = fields.Many2one(related="check_id.company_id", store=True, index=True)
    sequence = fields.Integer(readonly=True)
    code = fields.Char(required=True, readonly=True)
    name = fields.Char(string="Looked at", required=True, readonly=True)
    status = fields.Selection(
        [("ok", "All right"), ("warning", "Look at it"), ("problem", "Mend it"),
         ("waiting", "Waiting for M-Pesa")],
        required=True, readonly=True,
    )
    tried = fields.Text(string="What was tried", readonly=True)
    meaning = fields.Text(string="What it means", readonly=True)
    advice = fields.Text(string="What to do", readonly=True)

    _code_uniq = models.Constraint("UNIQUE(check_id, code)", "Each thing is looked at once.")
