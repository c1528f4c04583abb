from odoo import api, models
from odoo.tools import date_utils


class SokoStatement(models.AbstractModel):
    """What an artisan earned, what was deducted, what she got, and what is still hers."""

    _name = "report.soko_artisan.report_statement"
    _description = "Statement of an Artisan"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Return the values of the printed statements: the last twelve months."""
        artisans = self.env["soko.artisan"].browse(docids)
        artisans.check_access("read")
        end = self.env.company._soko_today()
        start = date_utils.subtract(date_utils.start_of(end, "month"), months=11)
        return {
            "docs": artisans,
            "statements": {
                artisan: self._get_statement(artisan, start, end) for artisan in artisans
            },
        }

    @api.model
    def _get_statement(self, artisan, start, end):
        """Return the statement of one artisan from `start` to `end`, both days included.

        Carried sums obey: opening + earned - deducted - paid = closing.

        :rtype: dict
        """
        lines = self.env["soko.settlement.line"].search(
            [
                ("artisan_id", "=", artisan.id),
                ("state", "!=", "cancelled"),
                ("date", "<=", end),
            ],
            order="date, id",
        )
        payouts = self._get_payouts(artisan, lines, end)
        now_lines = lines.filtered(lambda li: li.date >= start)
        now_payouts = [payout for payout in payouts if payout["date"] >= start]
        earned_before = sum((lines - now_lines).mapped("amount"))
        out_before = sum(p["paid"] + p["deducted"] for p in payouts if p["date"] < start)
        earned = sum(now_lines.mapped("amount"))
        deducted = sum(payout["deducted"] for payout in now_payouts)
        paid = sum(payout["paid"] for payout in now_payouts)
        return {
            "start": start,
            "end": end,
            "lines": now_lines,
            "payouts": now_payouts,
            "opening": earned_before - out_before,
            "earned": earned,
            "deducted": deducted,
            "paid": paid,
            "closing": earned_before - out_before + earned - deducted - paid,
        }

    @api.model
    def _get_payouts(self, artisan, lines, end):
        """Return what each proven payment paid for the pieces of this artisan, oldest first.

        A group's payment counts with the part that her pieces earned.
        """
        # sudo: a group's settlement is the group's to see; this tells the artisan her own part
        settlements = lines.sudo().settlement_id.filtered(
            lambda s: s.state == "paid" and (s.date_paid or s.date) <= end
        )
        payouts = []
        for settlement in settlements:
            own = settlement.line_ids.filtered(lambda li: li.artisan_id == artisan)
            repaid = settlement.repayment_ids.filtered(lambda r: r.artisan_id == artisan)
            deducted = sum(repaid.mapped("amount"))
            payouts.append(
                {
                    "date": settlement.date_paid or settlement.date,
                    "name": settlement.name,
                    "payee": settlement.payee_id.name,
                    "receipt": settlement.payment_reference or settlement.name,
                    "deducted": deducted,
                    "paid": sum(own.mapped("amount")) - deducted,
                }
            )
        return sorted(payouts, key=lambda payout: (payout["date"], payout["name"]))
