from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import formatLang

from ..tools import judgement, statistics

MOST_PIECES = 5000  # the newest ones
USUAL_PIECES = 30  # fewer leave kappa wide open


class SokoQcAgreement(models.TransientModel):
    """How far inspectors agree on pieces that two of them judged, beyond what chance would give.

    A piece that can be mended did not pass. Everything is read by the rights of who looks.
    """

    _name = "soko.qc.agreement"
    _description = "Agreement of Inspectors"
    _inherit = ["soko.qc.period"]

    plan_id = fields.Many2one("soko.qc.plan", ondelete="cascade")
    table = fields.Html(compute="_compute_table", sanitize=False)

    @api.depends("plan_id", "date_from", "date_to")
    def _compute_table(self):
        for screen in self:
            values = screen._prepare_table()
            screen.table = self.env["ir.qweb"]._render("soko_qc.soko_qc_agreement_table", values)

    def _prepare_table(self):
        """Values of the template: a message, or rows of pairs and of defects."""
        self.ensure_one()
        if self._is_backwards():
            return {"message": self.env._("The period ends before it begins.")}
        domain = self._get_domain()
        seconds = self.env["soko.qc.second.look.piece"].search(
            domain, order="look_id.id desc, number", limit=MOST_PIECES
        )
        judged = seconds.filtered(lambda s: s.look_id.user_id != s.look_id.first_user_id)
        if not judged:
            return {
                "message": self.env._(
                    "No piece was judged by two people here. Press Second Look on an inspection; "
                    "both that look and the inspection have to be finished."
                )
            }
        shown = {"count": MOST_PIECES} if len(seconds) == MOST_PIECES else {}
        note = shown and self.env._("The newest %(count)s pieces.", **shown)
        return {
            "note": note,
            "pairs": self._get_pair_rows(judged),
            "defects": self._get_defect_rows(judged),
        }

    def _get_domain(self):
        domain = Domain("look_id.state", "=", "done") & Domain("piece_id.state", "=", "done")
        if self.plan_id:
            domain &= Domain("look_id.plan_id", "=", self.plan_id._origin.id)
        return domain & self._get_period_domain("look_id.date_done")

    def _get_pair_rows(self, judged):
        """A row for each two people, whoever of them was first, and one for all."""
        pairs = {}
        for second in judged:
            people = second.look_id.first_user_id, second.look_id.user_id
            verdicts = self._is_good(second.piece_id), self._is_good(second)
            (one, a), (other, b) = sorted(
                zip(people, verdicts, strict=True), key=lambda pair: pair[0].id
            )
            pairs.setdefault((one, other), []).append((a, b))
        rows = [
            self._prepare_row(f"{one.name} / {other.name}", verdicts)
            for (one, other), verdicts in pairs.items()
        ]
        rows.sort(key=lambda row: row["name"])
        every = [
            (self._is_good(second.piece_id), self._is_good(second)) for second in judged
        ]
        return [*rows, self._prepare_row(self.env._("All, first and second look"), every)]

    def _get_defect_rows(self, judged):
        """A row for each defect that one of the two marked somewhere."""
        defects = (judged.defect_ids | judged.piece_id.defect_ids).sorted("code")
        return [
            self._prepare_row(
                defect.display_name,
                [(defect in s.piece_id.defect_ids, defect in s.defect_ids) for s in judged],
            )
            for defect in defects
        ]

    @staticmethod
    def _is_good(piece):
        return piece.result == judgement.PASS

    def _prepare_row(self, name, verdicts):
        """What the template shows of pairs of verdicts of two people on the same pieces."""
        first, second = zip(*verdicts, strict=True)
        agreed = sum(a == b for a, b in verdicts)
        row = {
            "name": name,
            "count": len(verdicts),
            "agreed": agreed,
            "share": formatLang(self.env, 100 * agreed / len(verdicts), digits=1),
        }
        if len({*first, *second}) == 1:
            return {**row, "kappa": "–", "words": self.env._("all alike: says nothing")}
        kappa = statistics.cohen_kappa(first, second)
        words = self._get_scale()[statistics.kappa_scale(kappa)]
        if len(verdicts) < USUAL_PIECES:
            words = self.env._("%s; few pieces, so a first guess", words)
        return {**row, "kappa": formatLang(self.env, kappa, digits=2), "words": words}

    def _get_scale(self):
        return {
            "almost_perfect": self.env._("almost perfect"),
            "substantial": self.env._("substantial"),
            "moderate": self.env._("moderate"),
            "fair": self.env._("fair"),
            "slight": self.env._("slight"),
            "poor": self.env._("poor: less than by chance"),
        }
