from dataclasses import dataclass

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import MANAGER
from ..tools import automation
from ..tools.watch import digest_of

RULES = "base.automation"
# What says of an automation rule when it does what; its actions are told for themselves.
RULE_FIELDS = (
    "name", "active", "model_id", "trigger", "filter_domain", "filter_pre_domain",
    "record_getter", "trigger_field_ids", "on_change_field_ids", "trg_date_range",
    "trg_date_range_type", "action_server_ids",
)


@dataclass(frozen=True)
class Rule:
    """An automation rule as it is now; `user_id` is who wrote it last."""

    id: int
    name: str
    model: str
    user_id: int
    by_person: bool
    digest: str


class SokoMpesaAutomation(models.Model):
    """An automation that works on what pays and that a person made or changed.

    Guards in the database refuse what an automation must not write, but not all that it could do
    is forbidden: the managers know what is there. What modules bring is not told. It has no
    company, as the automations themselves have none.
    """

    _name = "soko.mpesa.automation"
    _description = "M-Pesa: automation that was made or changed"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "state desc, changed_at desc, id desc"
    _allow_sudo_commands = False

    name = fields.Char(required=True, readonly=True, help="As it was called then.")
    kind = fields.Selection(
        [("action", "Server action"), ("job", "Scheduled action"), ("rule", "Automation rule")],
        required=True, readonly=True,
    )
    event = fields.Selection(
        [("created", "Made"), ("changed", "Changed")], required=True, readonly=True,
    )
    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Number", model_field="res_model", required=True, readonly=True, index=True,
    )
    targets = fields.Char(
        string="Works on", readonly=True,
        help="Models of payouts, payments, payees' numbers or system parameters.",
    )
    what = fields.Char(string="Fields", readonly=True, help="What was written.")
    user_id = fields.Many2one(
        "res.users", string="Who", required=True, readonly=True, ondelete="restrict",
    )
    changed_at = fields.Datetime(string="When", required=True, readonly=True)
    digest = fields.Char(readonly=True)
    state = fields.Selection(
        [("acknowledged", "Acknowledged"), ("open", "Not acknowledged")],
        required=True, default="open", readonly=True, index=True,
    )
    acknowledged_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    acknowledged_at = fields.Datetime(readonly=True)

    _open_uniq = models.UniqueIndex(
        "(res_model, res_id, user_id) WHERE state = 'open'", "This is told already.",
    )

    # === ACKNOWLEDGING === #

    def action_acknowledge(self):
        """Declare that these automations are known and wanted."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only an M-Pesa manager may acknowledge that."))
        self.check_access("read")
        # sudo: people can't write these; the right was checked
        rows = self.sudo().filtered(lambda row: row.state == "open")
        if not rows:
            raise UserError(self.env._("These are acknowledged already."))
        others = self.env["soko.mpesa.watch"]._get_managers() - self.env.user
        if self.env.user in rows.user_id and others:
            raise UserError(self.env._(
                "You made or changed this yourself, so another M-Pesa manager acknowledges it: "
                "%s.", ", ".join(others.mapped("name"))))
        rows.write({
            "state": "acknowledged", "acknowledged_by_id": self.env.uid,
            "acknowledged_at": fields.Datetime.now(),
        })

    # === NOTICING === #

    @api.model
    def _get_targets(self, actions):
        """Return {id of the server action: watched models that it works on}."""
        # sudo: reads what the writer of an action has written; her rights don't matter
        return {
            action.id: automation.targets(
                (action.model_id.model, action.crud_model_id.model), action.code)
            for action in actions.sudo()
        }

    @api.model
    def _note_actions(self, actions, event, names, before=None):
        """Keep that a person has made or changed server actions, if they work on what pays.

        :param str event: a value of the field
        :param names: the fields that were written
        :param dict before: what `_get_targets` said before a change; an automation that is
            turned away from what pays is told, too
        """
        told = automation.telling(names)
        if not told:
            return
        now = self._get_targets(actions)
        for action in actions.sudo():  # sudo: as in `_get_targets`
            targets = sorted({*now[action.id], *(before or {}).get(action.id, ())})
            if targets:
                self._note({
                    "name": action.name or "-", "kind": self._get_kind(action), "event": event,
                    "res_model": action._name, "res_id": action.id,
                    "targets": ", ".join(targets), "what": ", ".join(told),
                    "user_id": self.env.uid,
                })

    def _get_kind(self, action):
        if action.usage == "ir_cron" or action.ir_cron_ids:
            return "job"
        return "rule" if action.usage == "base_automation" else "action"

    def _note(self, vals):
        """Keep one row for each thing and person until it is acknowledged."""
        # sudo: nobody may write these by hand; this method is private
        rows = self.sudo()
        vals = {**vals, "changed_at": fields.Datetime.now()}
        known = rows.search([
            ("res_model", "=", vals["res_model"]), ("res_id", "=", vals["res_id"]),
            ("user_id", "=", vals["user_id"]), ("state", "=", "open"),
        ], limit=1)
        if known:
            what = {*(known.what or "").split(", "), *(vals.get("what") or "").split(", ")}
            # Odoo writes to a new action before it is made whole, so a change may come first
            event = "created" if "created" in (known.event, vals["event"]) else "changed"
            known.write({**vals, "event": event, "what": ", ".join(sorted(what - {""}))})
        else:
            rows.create(vals)

    # === AUTOMATION RULES === #

    @api.model
    def _note_rules(self):
        """Keep which automation rules people have made or changed since the last look.

        They are looked at and not listened to, because the app that has them needn't be there.
        """
        for rule in self._get_rules():
            last = self.search([("res_model", "=", RULES), ("res_id", "=", rule.id)],
                               order="id desc", limit=1)
            if last.digest == rule.digest or not (last or rule.by_person):
                continue
            self._note({
                "name": rule.name, "kind": "rule", "event": "changed" if last else "created",
                "res_model": RULES, "res_id": rule.id, "targets": rule.model,
                "user_id": rule.user_id, "digest": rule.digest,
            })

    @api.model
    def _get_rules(self):
        """Return the automation rules for what pays; none without the app that has them.

        :rtype: list[Rule]
        """
        if RULES not in self.env:
            return []
        # sudo: only administrators read rules
        rules = self.env[RULES].sudo().with_context(active_test=False).search([
            "|", ("model_id.model", "=like", "soko.mpesa.%"),
            ("model_id.model", "in", automation.WATCHED)])
        return [
            Rule(
                rule.id, rule.name, rule.model_id.model, rule.write_uid.id or SUPERUSER_ID,
                {rule.create_uid.id, rule.write_uid.id} != {SUPERUSER_ID},
                digest_of(f"{name}={rule[name]}" for name in RULE_FIELDS),
            )
            for rule in rules
        ]
