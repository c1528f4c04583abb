from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError

from ..tools import judgement


class SokoQcSecondLook(models.Model):
    """The pieces of an inspection, judged again by another person who isn't told the first verdict.

    It says how far two inspectors agree and nothing else: the inspection, its pieces, what is
    sampled and what is moved stay as they are.
    """

    _name = "soko.qc.second.look"
    _description = "Second Look"
    _order = "id desc"
    _rec_name = "name"

    inspection_id = fields.Many2one(
        "soko.qc.inspection", required=True, readonly=True, index=True, ondelete="cascade"
    )
    name = fields.Char(related="inspection_id.name", store=True)
    company_id = fields.Many2one(related="inspection_id.company_id", store=True, index=True)
    product_id = fields.Many2one(related="inspection_id.product_id", store=True)
    lot_id = fields.Many2one(related="inspection_id.lot_id", store=True)
    plan_id = fields.Many2one(related="inspection_id.plan_id", store=True, index="btree_not_null")
    instructions = fields.Html(related="plan_id.instructions")
    criterion_ids = fields.One2many(related="plan_id.criterion_ids", string="Criteria")
    first_user_id = fields.Many2one(
        "res.users", "First Inspector", related="inspection_id.user_id", store=True
    )
    user_id = fields.Many2one(
        "res.users", "Second Inspector", readonly=True, help="Who pressed Begin."
    )
    state = fields.Selection(
        [("draft", "Asked For"), ("in_progress", "In Progress"), ("done", "Done")],
        required=True,
        readonly=True,
        default="draft",
        index=True,
    )
    date_done = fields.Datetime("Done On", readonly=True)
    piece_ids = fields.One2many("soko.qc.second.look.piece", "look_id", "Pieces")

    _one_open = models.UniqueIndex(
        "(inspection_id) WHERE state <> 'done'",
        "A second look at this inspection is asked for already.",
    )
    _one_each = models.UniqueIndex(
        "(inspection_id, user_id)", "This person looked at these pieces already."
    )

    # === CRUD METHODS === #

    def write(self, vals):
        """Let only the pieces be judged by hand, for `readonly` keeps no RPC call away."""
        if not self.env.su and not set(vals) <= {"piece_ids"}:
            raise AccessError(
                self.env._("A second look is written by its buttons; only its pieces are judged.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_done(self):
        if any(look.state == "done" for look in self):
            raise UserError(
                self.env._("A finished second look is part of the figures and is not deleted.")
            )

    # === ACTIONS === #

    def action_start(self):
        """Begin: the one who presses looks at the pieces, and must not have judged them before."""
        self._check_step("draft")
        for look in self:
            look._check_other_person(self.env.user)
            inspection = look.inspection_id
            if inspection.state not in ("in_progress", "done") or not inspection.piece_ids:
                raise UserError(
                    self.env._("%s lists no pieces now. Wait until it is started again.", look.name)
                )
        pieces = [
            {"look_id": look.id, "piece_id": piece.id, "number": piece.number}
            for look in self
            for piece in look.inspection_id.piece_ids
        ]
        # sudo: sheets are made by this step alone; right and person were checked above.
        self.env["soko.qc.second.look.piece"].sudo().create(pieces)
        # sudo: the same.
        self.sudo().write({"state": "in_progress", "user_id": self.env.uid})
        return True

    def action_all_pass(self):
        """Let every piece that is still open pass."""
        self._check_step("in_progress")
        self.piece_ids.filtered(lambda p: p.result == judgement.TODO).result = judgement.PASS
        return True

    def action_done(self):
        """Finish: from now on it counts in the figures and stays as it is."""
        self._check_step("in_progress")
        for look in self:
            look._check_own()
            if not look.piece_ids:
                raise UserError(
                    self.env._(
                        "%s was begun anew, so its pieces have other numbers now and this second "
                        "look can't be compared. A quality manager may delete it.",
                        look.name,
                    )
                )
            todo = look.piece_ids.filtered(lambda p: p.result == judgement.TODO)
            if todo:
                raise UserError(
                    self.env._(
                        "%(name)s: piece %(number)s is still open. Say whether it passes or fails.",
                        name=look.name,
                        number=", ".join(str(n) for n in todo.mapped("number")[:10]),
                    )
                )
        # sudo: the state is written by these steps alone; right and person were checked above.
        self.sudo().write({"state": "done", "date_done": fields.Datetime.now()})
        return True

    # === BUSINESS METHODS === #

    def _check_step(self, state):
        """Refuse a step for the wrong user, in the wrong state, or while another one takes it."""
        self.check_access("write")
        try:
            self.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._("Somebody else works on this second look at this moment. Open it again.")
            ) from error
        wrong = self.filtered(lambda look: look.state != state)
        if wrong:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "The second look at %(name)s is: %(state)s. Open it again to see what is next.",
                    name=wrong[0].name,
                    state=labels[wrong[0].state],
                )
            )

    def _check_other_person(self, user):
        """:raises UserError: when this person judged the pieces before"""
        self.ensure_one()
        # sudo: whether the person touched these pieces at the bench is all that is asked.
        taps = self.env["soko.qc.tap"].sudo()
        touched = taps.search_count(
            [("inspection_id", "=", self.inspection_id.id), ("user_id", "=", user.id)], limit=1
        )
        if touched or user == self.inspection_id.user_id:
            raise UserError(
                self.env._(
                    "You judged the pieces of %s yourself. A second look is another person's: ask "
                    "a colleague to open it under Second Looks.",
                    self.name,
                )
            )
        if user in self.inspection_id.second_look_ids.user_id:
            raise UserError(
                self.env._("You looked at the pieces of %s a second time already.", self.name)
            )

    def _check_own(self):
        """:raises UserError: when somebody else looks at these pieces"""
        self.ensure_one()
        if self.state != "in_progress" or self.user_id != self.env.user:
            raise UserError(
                self.env._(
                    "Only %(user)s judges the pieces of this second look, and only until it is "
                    "finished.",
                    user=self.user_id.name or self.env._("who begins it"),
                )
            )
