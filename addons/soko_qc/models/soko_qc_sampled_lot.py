from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from ..tools import judgement, sampling
from .soko_qc_sampling_state import STAGES

NOT_COUNTED = -1
# What an acceptance number counts: pieces by their worst defect, or all that failed.
COUNTED = (*judgement.SEVERITIES, "failed")


class SokoQcSampledLot(models.AbstractModel):
    """How many pieces of a lot are looked at, and what their result says about the others.

    The numbers are fixed when the work starts, so that later lots and later changes of the plan
    leave a begun inspection alone.
    """

    _name = "soko.qc.sampled.lot"
    _description = "Lot Judged by a Sample"

    sampling_state_id = fields.Many2one(
        "soko.qc.sampling.state",
        "Maker's History",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The lots before this one, which decide how closely it is looked at.",
    )
    sampling_stage = fields.Selection(STAGES, "Inspection Severity", readonly=True, copy=False)
    sample_size = fields.Integer("To Look At", readonly=True, copy=False)
    accept_critical = fields.Integer(readonly=True, copy=False, default=NOT_COUNTED)
    accept_major = fields.Integer(readonly=True, copy=False, default=NOT_COUNTED)
    accept_minor = fields.Integer(readonly=True, copy=False, default=NOT_COUNTED)
    accept_failed = fields.Integer(readonly=True, copy=False, default=NOT_COUNTED)
    lot_verdict = fields.Selection(
        [("accepted", "Lot accepted"), ("refused", "Lot refused")],
        "Verdict of the Sample",
        readonly=True,
        copy=False,
        help="What the sample said about the lot, before the other pieces were looked at.",
    )
    screening = fields.Boolean(
        "All Pieces After All",
        readonly=True,
        copy=False,
        help="The sample refused the lot, so all the other pieces are looked at too.",
    )
    sample_text = fields.Char("What to Do", compute="_compute_sample_text")
    stage_text = fields.Char("Why So Many", compute="_compute_sample_text")
    found_text = fields.Char("Found So Far", compute="_compute_found_text")

    # === COMPUTE METHODS === #

    @api.depends("state", "plan_id", "quantity", "partner_id", "sample_size", "screening")
    def _compute_sample_text(self):
        for lot in self:
            if lot.quantity <= 0:
                lot.sample_text = lot.stage_text = False
                continue
            started = bool(lot.sample_size)
            # Before the work starts this is what it would be now.
            stage = lot.sampling_stage if started else lot._get_stage(lot._find_sampling_state())
            sample = lot._get_fixed_sample() if started else lot._get_sample(stage)
            lot.sample_text = lot._get_sample_text(sample)
            lot.stage_text = lot._get_stage_text(stage)

    @api.depends("piece_ids.result", "piece_ids.defect_ids", "piece_ids.result_ids.verdict")
    def _compute_found_text(self):
        for lot in self:
            found = lot._get_found()
            counts = [lot._get_number_text(found[s], s) for s in judgement.SEVERITIES if found[s]]
            lot.found_text = format_list(lot.env, counts) if counts else False

    # === TEXTS === #

    def _get_number_text(self, number, counted):
        texts = {
            "critical": self.env._("%s critical", number),
            "major": self.env._("%s major", number),
            "minor": self.env._("%s minor", number),
            "failed": self.env._("%s failed", number),
        }
        return texts[counted]

    def _get_sample_text(self, sample):
        """E.g. Look at 32 of 120 pieces ... Accept the lot with at most 2 major and 3 minor."""
        self.ensure_one()
        pieces = judgement.piece_count(self.quantity)
        if self.screening or not sample.accept:
            return self.env._("Look at all %s pieces; each keeps its own result.", pieces)
        accept = [self._get_number_text(n, c) for c, n in sample.accept.items()]
        refuse = [self._get_number_text(n + 1, c) for c, n in sample.accept.items()]
        numbers = {
            "size": sample.size,
            "pieces": pieces,
            "accept": format_list(self.env, accept),
            "refuse": format_list(self.env, refuse, "or"),
        }
        if sample.size >= pieces:
            return self.env._(
                "Look at all %(pieces)s pieces; each keeps its own result. The lot counts as good "
                "with at most %(accept)s, as bad from %(refuse)s on.",
                **numbers,
            )
        return self.env._(
            "Look at %(size)s of %(pieces)s pieces, taken from all over the lot. Accept the lot "
            "with at most %(accept)s; refuse it from %(refuse)s on.",
            **numbers,
        )

    def _get_stage_text(self, stage):
        self.ensure_one()
        if self.screening or not self._is_sampled():
            return False
        state = self.sampling_state_id or self._find_sampling_state()
        texts = {
            sampling.FULL: self.env._(
                "New maker: every piece, until %(lots)s lots in a row were accepted (%(run)s so "
                "far).",
                lots=self.plan_id.new_maker_lots,
                run=state.run,
            ),
            sampling.TIGHTENED: self.env._(
                "Tightened inspection: two of the last five lots were refused."
            ),
            sampling.REDUCED: self.env._("Reduced inspection: a long row of good lots."),
            sampling.STOPPED: self.env._(
                "Sampling is discontinued after too many refused lots: every piece, until a "
                "quality manager sets the severity anew."
            ),
        }
        if stage == sampling.NORMAL and self.plan_id.sampling == "aql":
            return self.env._("Normal inspection.")
        return texts.get(stage, False)

    # === SAMPLE === #

    def _is_sampled(self):
        """Whether pieces of this lot may be accepted that nobody looked at."""
        self.ensure_one()
        return self.plan_id._is_sampling()

    def _has_history(self):
        """Whether this lot counts among the lots of its maker."""
        self.ensure_one()
        return self._is_sampled() and self.plan_id._has_history()

    def _find_sampling_state(self):
        """The maker's history, which may be empty: before the first lot, or without a maker."""
        self.ensure_one()
        states = self.env["soko.qc.sampling.state"]
        if not (self._has_history() and self.partner_id):
            return states
        # sudo: the text for an inventory user depends on it as well.
        return states.sudo()._find(
            self.plan_id, self.partner_id, self.product_id, self.company_id
        )

    def _get_stage(self, state):
        self.ensure_one()
        if not self._is_sampled():
            return False
        return state.stage or self.plan_id._get_first_stage()

    def _get_sample(self, stage):
        """The sample the plan asks for.

        :raises UserError: for a lot without pieces
        """
        self.ensure_one()
        plan = self.plan_id if self._is_sampled() else self.plan_id.browse()
        try:
            return plan._get_sample(self.quantity, stage or sampling.NORMAL)
        except ValueError as error:
            raise UserError(
                self.env._(
                    "%(name)s has no pieces to look at (quantity %(quantity)s). Check the "
                    "transfer it came with.",
                    name=self.display_name,
                    quantity=self.quantity,
                )
            ) from error

    def _fix_sample(self):
        """Fix what is to be looked at, by the plan and the maker's history of this moment."""
        for lot in self:
            state = self.env["soko.qc.sampling.state"]
            if lot._has_history() and lot.partner_id:
                state = state._find_or_create(
                    lot.plan_id, lot.partner_id, lot.product_id, lot.company_id
                )
            stage = lot._get_stage(state)
            sample = lot._get_sample(stage)
            numbers = {f"accept_{c}": sample.accept.get(c, NOT_COUNTED) for c in COUNTED}
            lot.write(
                {
                    "sampling_state_id": state.id,
                    "sampling_stage": stage,
                    "sample_size": sample.size,
                    **numbers,
                }
            )

    def _get_fixed_sample(self):
        """The sample as it was fixed when the work started."""
        self.ensure_one()
        numbers = {counted: self[f"accept_{counted}"] for counted in COUNTED}
        accept = {c: number for c, number in numbers.items() if number != NOT_COUNTED}
        return sampling.Sample(self.sample_size, accept)

    # === VERDICT === #

    def _get_found(self):
        """Bad pieces for each severity, each piece where it is worst, and failed ones."""
        self.ensure_one()
        worst = [piece._get_worst_severity() for piece in self.piece_ids]
        found = {severity: worst.count(severity) for severity in judgement.SEVERITIES}
        return {**found, "failed": self.failed_count}

    def _record_verdict(self):
        """Judge the lot by its sample, once: pieces that are looked at later change nothing."""
        for lot in self.filtered(lambda i: i._is_sampled() and not i.lot_verdict):
            accepted = sampling.is_accepted(lot._get_found(), lot._get_fixed_sample().accept)
            lot.lot_verdict = "accepted" if accepted else "refused"
            points = lot._get_score_points() if accepted else 0
            if lot.sampling_state_id:
                lot.sampling_state_id._record_lot(lot, accepted, points)

    def _get_score_points(self):
        accept = self._get_fixed_sample().accept
        return sampling.score_step(self._get_found(), accept, self.plan_id._get_aqls())

    def _needs_screening(self):
        """The sample refused the lot and the plan wants all the other pieces looked at."""
        self.ensure_one()
        unseen = judgement.piece_count(self.quantity) - self.piece_count
        return self.lot_verdict == "refused" and self.plan_id.on_refusal == "screen" and unseen > 0

    def _start_screening(self):
        """List the pieces that were not in the sample."""
        # sudo: only this step says that a lot is screened; the caller checked the right.
        self.sudo().write({"screening": True})
        pieces = self.env["soko.qc.inspection.piece"]
        pieces.create([vals for lot in self for vals in lot._prepare_pieces_vals()])
        for lot in self:
            lot.message_post(
                body=lot.env._(
                    "The sample refused the lot (%(found)s). All the other pieces are to be "
                    "looked at.",
                    found=lot.found_text,
                )
            )

    def _get_screening_notice(self):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": True,
                "title": self.env._("The sample refused the lot"),
                "message": self.env._(
                    "%s: too many of the sample are bad. All the other pieces are listed now; look "
                    "at them too, then decide.",
                    ", ".join(self.mapped("name")),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _split(self):
        """Accepted and rejected quantity, and what goes back to be mended.

        :raises ValueError: when more pieces were looked at than the lot has
        """
        self.ensure_one()
        accepted = self.lot_verdict == "accepted" if self.lot_verdict else not self.failed_count
        whole_lot = self.plan_id.on_refusal == "lot"
        unseen = self.piece_count < judgement.piece_count(self.quantity)
        good, bad = judgement.split_lot(
            self.quantity, self.piece_count, self.failed_count, accepted, whole_lot=whole_lot
        )
        rework = 0 if whole_lot and unseen and not accepted else self.rework_count
        return (good, *judgement.split_off_rework(self.quantity, bad, rework))
