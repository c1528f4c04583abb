import math

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.misc import formatLang

from ..tools import chart, judgement, statistics

MOST_READINGS = 200  # the newest ones: what a screen can show and a person can look at
LEAST_POINTS = 2
USUAL_POINTS = 20  # fewer make limits that still move a lot (NIST/SEMATECH 6.3.2)
SINGLE = "1"
SIZES = [(SINGLE, "Single readings")] + [(str(n), f"{n} readings") for n in range(2, 11)]


class SokoQcControlChart(models.TransientModel):
    """The readings of one measure in the order they were made, and what they say.

    Everything is read by the rights of who looks, so a chart never shows another company's pieces.
    """

    _name = "soko.qc.control.chart"
    _description = "Control Chart"
    _inherit = ["soko.qc.period"]
    _rec_name = "criterion_id"

    criterion_id = fields.Many2one(
        "soko.qc.criterion", "Measure", domain=[("type", "=", "measure")], ondelete="cascade"
    )
    product_id = fields.Many2one("product.product", ondelete="cascade")
    partner_id = fields.Many2one("res.partner", "Maker", ondelete="cascade")
    subgroup_size = fields.Selection(
        SIZES,
        "A Point Is",
        required=True,
        default=SINGLE,
        help="Single readings: each is a point, beside it how far it is from the one before. "
        "Several readings of one inspection: their mean is a point, beside it their range.",
    )
    chart = fields.Html(compute="_compute_chart", sanitize=False)

    @api.depends(
        "criterion_id", "product_id", "partner_id", "subgroup_size", "date_from", "date_to"
    )
    def _compute_chart(self):
        for screen in self:
            values = screen._prepare_chart()
            screen.chart = self.env["ir.qweb"]._render("soko_qc.soko_qc_control_chart", values)

    @api.constrains("criterion_id")
    def _check_measure(self):
        wrong = self.criterion_id.filtered(lambda c: c.type != "measure")
        if wrong:
            raise ValidationError(
                self.env._(
                    "%s has no readings, for it is no measure. Choose a measure.", wrong[0].name
                )
            )

    # === WHAT IS DRAWN === #

    def _prepare_chart(self):
        """Values of the template: a message, or the charts and what stands out in them."""
        self.ensure_one()
        if not self.criterion_id or not self.subgroup_size:
            return {"message": self.env._("Choose a measure of a plan.")}
        if self._is_backwards():
            return {"message": self.env._("The period ends before it begins.")}
        total, readings = self._get_readings()
        if not readings:
            return {"message": self._tell_empty()}
        points = self._get_points(readings)
        if len(points) < LEAST_POINTS:
            return {"message": self._tell_too_few(len(readings), len(points))}
        return {
            **self._prepare_drawings(points, readings[-1]),
            "notes": self._get_notes(total, len(readings), points),
        }

    def _get_readings(self):
        """How many readings there are, and the newest of them, the oldest of those first."""
        criterion = self.criterion_id._origin
        # Zero means not measured. Readings in another unit are of an earlier state of the plan.
        wanted = Domain(
            [
                ("criterion_id", "=", criterion.id),
                ("type", "=", "measure"),
                ("unit", "=", criterion.unit),
                ("value", "!=", 0),
            ]
        )
        domain = Domain("state", "=", "done") & Domain("result_ids", "any", wanted)
        domain &= self._get_period_domain("date_done")
        for name in ("product_id", "partner_id"):
            if self[name]:
                domain &= Domain(name, "=", self[name]._origin.id)
        pieces = self.env["soko.qc.inspection.piece"]
        newest = pieces.search(
            domain,
            order="date_done desc, inspection_id.id desc, number desc, id desc",
            limit=MOST_READINGS,
        )
        readings = newest[::-1].result_ids.filtered_domain(wanted)
        return pieces.search_count(domain), readings

    def _get_points(self, readings):
        """Pairs ``(inspection, readings of the point)``."""
        pairs = [(reading.inspection_id, reading) for reading in readings]
        return chart.subgroups(pairs, int(self.subgroup_size))

    def _prepare_drawings(self, points, newest):
        values, limits, spreads, spread_limits = self._compute_limits(points)
        broken = statistics.western_electric(values, limits)
        beyond = {i for i, s in enumerate(spreads) if statistics.is_beyond(s, spread_limits)}
        outside = {i for i, (_inspection, group) in enumerate(points) if self._is_outside(group)}
        # The first single reading has none before it to be far from.
        wide = {index + len(values) - len(spreads) for index in beyond}
        specification = [
            (self.env._("Lower tolerance"), newest.lower, "tolerance"),
            (self.env._("Upper tolerance"), newest.upper, "tolerance"),
        ]
        title, spread_title = self._get_titles()
        return {
            "drawings": [
                self._draw(title, values, limits, specification, {*broken, *outside}),
                self._draw(spread_title, spreads, spread_limits, [], beyond),
            ],
            "alike": limits.upper <= limits.centre,
            "findings": self._tell_findings(points, values, broken, wide, outside),
            "frame": (chart.WIDTH, chart.HEIGHT, chart.LEFT, chart.WIDTH - chart.RIGHT),
        }

    def _compute_limits(self, points):
        """Values and their limits, ranges and their limits."""
        groups = [[reading.value for reading in group] for _inspection, group in points]
        if self.subgroup_size == SINGLE:
            values = [value for (value,) in groups]
            spreads = [abs(b - a) for a, b in zip(values, values[1:], strict=False)]
            limits, spread_limits = statistics.individuals_limits(values)
        else:
            values = [math.fsum(group) / len(group) for group in groups]
            spreads = [max(group) - min(group) for group in groups]
            limits, spread_limits = statistics.xbar_limits(groups)
        return values, limits, spreads, spread_limits

    def _get_titles(self):
        if self.subgroup_size == SINGLE:
            return self.env._("Readings"), self.env._("From one reading to the next")
        return self.env._("Means"), self.env._("Ranges")

    @staticmethod
    def _is_outside(group):
        """Some reading of the point was outside the tolerance of its own day."""
        return any(
            judgement.judge_reading(reading.value, reading.lower, reading.upper) == judgement.FAIL
            for reading in group
        )

    def _draw(self, title, values, limits, specification, marked):
        lines = [
            (self.env._("Upper control limit"), limits.upper, "limit"),
            (self.env._("Mean"), limits.centre, "mean"),
            (self.env._("Lower control limit"), limits.lower, "limit"),
            *specification,
        ]
        drawing = chart.draw(values, [value for _name, value, _kind in lines])
        return {
            "title": title,
            "lines": [
                {"name": name, "text": self._format(value), "kind": kind, "y": y}
                for (name, value, kind), y in zip(lines, drawing.heights, strict=True)
            ],
            "path": " ".join(f"{x},{y}" for x, y in drawing.points),
            "points": [
                {"x": x, "y": y, "number": index + 1, "text": self._format(value),
                 "marked": index in marked}
                for index, ((x, y), value) in enumerate(zip(drawing.points, values, strict=True))
            ],
        }

    def _format(self, value):
        return f"{formatLang(self.env, value, digits=4)} {self.criterion_id.unit}"

    # === WHAT IS SAID === #

    def _tell_findings(self, points, values, broken, wide, outside):
        """What stands out, the newest first, each with its inspection."""
        findings = []
        for index in sorted({*broken, *wide, *outside}, reverse=True):
            inspection, group = points[index]
            reasons = [*broken.get(index, []), *(["wide"] if index in wide else [])]
            reasons += ["outside"] if index in outside else []
            findings.append(
                {
                    "number": index + 1,
                    "text": self._format(values[index]),
                    "inspection": inspection,
                    "pieces": ", ".join(str(reading.piece_number) for reading in group),
                    "words": "; ".join(self._get_reason(reason) for reason in reasons),
                }
            )
        return findings

    def _get_reason(self, reason):
        """A rule of Western Electric by its number, or another reason, in words."""
        far = self.env._("too far from the reading before")
        return {
            1: self.env._("beyond a control limit"),
            2: self.env._("two of three points far from the mean on one side"),
            3: self.env._("four of five points away from the mean on one side"),
            4: self.env._("eight points in a row on one side of the mean"),
            "wide": far if self.subgroup_size == SINGLE else self.env._("readings too far apart"),
            "outside": self.env._("outside the tolerance"),
        }[reason]

    def _get_notes(self, total, shown, points):
        used = sum(len(group) for _inspection, group in points)
        notes = []
        if total > shown:
            notes.append(
                self.env._("The newest %(shown)s of %(total)s readings.", shown=shown, total=total)
            )
        if used < shown:
            notes.append(
                self.env._("%s readings fill no point of their inspection and are left out.",
                           shown - used)
            )
        if len(points) < USUAL_POINTS:
            notes.append(
                self.env._(
                    "Limits of %(count)s points are a first guess; they get firm with "
                    "%(usual)s and more.",
                    count=len(points),
                    usual=USUAL_POINTS,
                )
            )
        return notes

    def _tell_empty(self):
        return self.env._(
            "No decided inspection has a reading of %s here. Readings are entered on the pieces of "
            "an inspection; a piece that passes by a gauge has none.",
            self.criterion_id.name,
        )

    def _tell_too_few(self, readings, points):
        return self.env._(
            "Too few: %(readings)s readings make %(points)s points, and a chart needs at least "
            "%(least)s. Measure more pieces, choose a longer period, or fewer readings a point.",
            readings=readings,
            points=points,
            least=LEAST_POINTS,
        )
