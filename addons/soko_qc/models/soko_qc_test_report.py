from odoo import fields, models


class SokoQcTestReport(models.Model):
    _name = "soko.qc.test.report"
    _description = "Laboratory Report"
    _inherit = ["soko.qc.dated.proof"]
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char("Report Number", required=True, tracking=True)
    laboratory_id = fields.Many2one("res.partner", required=True, index="btree_not_null")
    date = fields.Date("Tested On")
    line_ids = fields.One2many("soko.qc.test.line", "report_id", "Results", copy=True)
    file = fields.Binary("Report", attachment=True, copy=False)
    file_name = fields.Char(copy=False)

    _name_uniq = models.Constraint(
        "UNIQUE(laboratory_id, name, product_tmpl_id, company_id)",
        "This laboratory's report is there already for this product.",
    )

    def _get_problem(self):
        self.ensure_one()
        if not self.file:
            return self.env._("add the laboratory's report as a file.")
        if not self.line_ids:
            return self.env._("enter its results.")
        return False

    def _get_lines_of(self, kind):
        """Results of a kind in reports that count today."""
        reports = self.filtered(lambda r: r.state == "valid")
        return reports.line_ids.filtered(lambda line: line.limit_id.kind == kind)
