from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import OFFICER
from ..tools.stages import allows, stage_after_drop_off

STAGES = [
    ("applicant", "Applicant"),
    ("trained", "Trained"),
    ("active", "Active"),
    ("dormant", "Dormant"),
    ("left", "Left"),
]
REASON = "soko_stage_reason"  # key of the context


class SokoArtisanStageMixin(models.AbstractModel):
    """The stages of an artisan's life, with the day of each change and what each allows."""

    _name = "soko.artisan.stage.mixin"
    _description = "Stages of an Artisan"

    stage_date = fields.Date(
        string="In this stage since",
        copy=False,
        help="Day of the last change of the stage. Filled in by itself.",
    )
    stage_change_ids = fields.One2many(
        "soko.artisan.stage.change", "artisan_id", string="History", readonly=True, groups=OFFICER
    )
    user_id = fields.Many2one(
        "res.users",
        string="Looked after by",
        index="btree_not_null",
        domain="[('share', '=', False)]",
        groups=OFFICER,
        tracking=True,
        help="Is asked to call when the artisan has not come for long.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        artisans = super().create(vals_list)
        artisans._note_stages({})
        return artisans

    def write(self, vals):
        if "stage" not in vals:
            return super().write(vals)
        before = {artisan: artisan.stage for artisan in self}
        res = super().write(vals)
        moved = self.filtered(lambda artisan: artisan.stage != before[artisan])
        moved._note_stages(before, date=vals.get("stage_date"))
        if vals["stage"] == "left":
            moved._leave()
        return res

    def _note_stages(self, before, date=None):
        """Keep the day of each artisan's new stage and one line of history.

        :param dict before: {artisan: stage until now}; empty for new artisans
        :param date: day of the change, else the artisan's own `stage_date` when she is new,
            else today
        """
        vals_list = []
        for artisan in self:
            day = date or (not before and artisan.stage_date) or artisan.company_id._soko_today()
            artisan.stage_date = day
            vals_list.append(
                {
                    "artisan_id": artisan.id,
                    "stage_from": before.get(artisan, False),
                    "stage": artisan.stage,
                    "date": day,
                    "user_id": self.env.uid,
                    "reason": self.env.context.get(REASON, False),
                }
            )
        # sudo: the history is written by the system alone; it says who caused it
        self.env["soko.artisan.stage.change"].sudo().create(vals_list)

    # === BUSINESS METHODS === #

    def _set_stage(self, stage, reason):
        """Move the artisans to a stage, with a reason in their history."""
        self.with_context(**{REASON: reason}).write({"stage": stage})

    def _get_stage_text(self):
        self.ensure_one()
        return dict(self._fields["stage"]._description_selection(self.env))[self.stage]

    def _check_stage_allows(self, what):
        """Refuse what an artisan's stage does not allow.

        There is no way round it but the stage itself: an officer who knows better moves the
        artisan, and the history says who did.

        :param str what: see `tools.stages.allows`
        :raise UserError: naming the artisan, her stage and what to do
        """
        for artisan in self.filtered(lambda a: not allows(a.stage, what)):
            raise UserError(
                self.env._(
                    "%(artisan)s is in the stage %(stage)s: no agreement, drop-off or request for "
                    "pieces is taken in it. If she may deliver, set her stage to Trained or Active "
                    "first; the change is kept in her history.",
                    artisan=artisan.name,
                    stage=artisan._get_stage_text(),
                )
            )

    def _begin_drop_off(self):
        """Refuse pieces of who may bring none, and call who brings some active."""
        self._check_stage_allows("drop_off")
        for artisan in self:
            stage = stage_after_drop_off(artisan.stage)
            if stage != artisan.stage:
                artisan._set_stage(stage, self.env._("Dropped pieces off"))

    def _leave(self):
        """End what runs with artisans who left, and ask somebody to settle what is open."""
        self.agreement_ids.action_expire()
        self.agreement_ids.filtered(lambda a: a.state == "to_sign").action_draft()
        requests = self.env["soko.replenishment"].search(
            [("artisan_id", "in", self.ids), ("state", "in", ("requested", "accepted"))]
        )
        requests.write({"state": "declined"})
        for artisan in self:
            figures = artisan.sudo()  # sudo: an officer may not see each figure; the sums are told
            if figures.qty_in_stock or figures.amount_owed or figures.amount_awaiting:
                artisan._ask_to_call(
                    self.env._("Left: settle what is open"),
                    self.env._(
                        "%(pieces)s pieces are still in the house: give them back. Owed and not "
                        "yet paid: %(owed)s; waiting for shoppers: %(awaiting)s. Both are paid as "
                        "always.",
                        pieces=f"{figures.qty_in_stock:g}",
                        owed=artisan.currency_id.format(figures.amount_owed),
                        awaiting=artisan.currency_id.format(figures.amount_awaiting),
                    ),
                )

    def _ask_to_call(self, summary, note):
        """Put a to-do on the artisan, for who looks after her or else for who acts now."""
        self.ensure_one()
        # sudo: the field is for staff; a job of another role may cause the to-do
        keeper = self.sudo().user_id or self.env.user
        self.activity_schedule(
            "mail.mail_activity_data_todo", summary=summary, note=note, user_id=keeper.id
        )

    # === SCHEDULED ACTION === #

    @api.model
    def _cron_set_dormant(self):
        """Call active artisans dormant who have brought nothing for long, company by company."""
        companies = self.env["res.company"].search([("soko_dormant_months", ">", 0)])
        for company in companies:
            self.with_company(company)._set_dormant(company)

    @api.model
    def _set_dormant(self, company):
        """Find who has neither brought pieces nor has any here, and say so on each of them.

        :return: the artisans who are dormant now
        """
        limit = company._soko_today() - relativedelta(months=company.soko_dormant_months)
        active = self.search(
            [
                ("company_id", "=", company.id),
                ("stage", "=", "active"),
                "|",
                ("stage_date", "=", False),
                ("stage_date", "<", limit),
            ]
        )
        last = active._get_last_drop_off_days()
        dormant = active.filtered(
            lambda a: not a.qty_in_stock and (not last.get(a) or last[a] < limit)
        )
        for artisan in dormant:
            artisan._tell_dormant(last.get(artisan))
        return dormant

    def _tell_dormant(self, last_day):
        """Move one artisan to dormant and ask who looks after her to call."""
        reason = (
            self.env._("No pieces since %(day)s", day=last_day)
            if last_day
            else self.env._("No pieces so far")
        )
        self._set_stage("dormant", reason)
        self._ask_to_call(
            self.env._("Dormant: call her"),
            self.env._(
                "%(reason)s. Her agreements go on, and the next drop-off makes her active again.",
                reason=reason,
            ),
        )

    def _get_last_drop_off_days(self):
        """Return {artisan: day of her last drop-off}, in one query."""
        # sudo: reads one date of the lots, which not every officer may see
        groups = self.env["stock.lot"].sudo()._read_group(
            [("soko_artisan_id", "in", self.ids)],
            ["soko_artisan_id"],
            ["soko_drop_off_date:max"],
        )
        return {artisan.with_env(self.env): day for artisan, day in groups}
