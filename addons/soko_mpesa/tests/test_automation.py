from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, new_test_user, tagged

from ..models.soko_mpesa_automation import RULES, Rule
from ..tools import automation
from .common import MpesaCase


@tagged("post_install", "-at_install", "mpesa")
class TestAutomationTargets(BaseCase):
    def test_models_and_code(self):
        for models, code, expected in (
            (("soko.mpesa.payout", False), "", ["soko.mpesa.payout"]),
            (("account.payment",), "", ["account.payment"]),
            (("account.payment.term", "res.partner"), "", []),
            (("res.partner",), "env['res.partner.bank'].search([])", ["res.partner.bank"]),
            (("res.partner",), 'env["soko.mpesa.account"].stop()', ["soko.mpesa.account"]),
            (("res.partner",), "env['account.payment.term']; x.account.payment", []),
            (("res.partner",), "env['ir.config_parameter'].sudo()", ["ir.config_parameter"]),
        ):
            with self.subTest(code=code, models=models):
                self.assertEqual(automation.targets(models, code), expected)

    def test_bookkeeping_is_not_told(self):
        self.assertEqual(automation.telling({"code": 1, "nextcall": 2, "sequence": 3}), ["code"])


@tagged("post_install", "-at_install", "mpesa")
class TestAutomation(MpesaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = new_test_user(cls.env, "mpesa_admin", groups="base.group_system",
                                  context={"no_reset_password": True},
                                  company_id=cls.company.id,
                                  company_ids=[Command.set(cls.company.ids)])
        cls.model = cls.env["ir.model"]._get_id("soko.mpesa.payout")

    def rows(self, record=None):
        domain = [("res_model", "=", record._name), ("res_id", "=", record.id)] if record else []
        return self.env["soko.mpesa.automation"].search([("state", "=", "open"), *domain])

    def make(self, **vals):
        """:return: a server action that the administrator made"""
        return self.env["ir.actions.server"].with_user(self.admin).create({
            "name": "Quick fix", "state": "code", "code": "pass", "model_id": self.model, **vals})

    def watch(self):
        self.run_cron("soko.mpesa.watch", "_cron_watch")
        self.env.invalidate_all()
        return self.env["soko.mpesa.attention"].search([("kind", "=", "automation")])

    def test_server_action(self):
        action = self.make()
        noted = self.rows(action)
        self.assertEqual((noted.kind, noted.event, noted.user_id, noted.targets),
                         ("action", "created", self.admin, "soko.mpesa.payout"))
        row = self.watch().filtered(lambda one: one.res_id == noted.id)
        self.assertRegex(row.name, "mpesa_admin .*soko.mpesa.payout: Quick fix")
        self.assertTrue(row.meaning and row.advice)
        self.assertIn(self.manager, row.activity_ids.user_id)
        self.assertNotIn(self.maker, row.activity_ids.user_id)
        self.assertEqual(row.with_user(self.manager).action_open()["res_id"], noted.id)
        noted.with_user(self.manager).action_acknowledge()
        self.assertEqual(noted.acknowledged_by_id, self.manager)
        self.assertNotIn(row, self.watch())
        self.assertFalse(row.activity_ids, "the tasks are done")

    def test_server_action_that_names_it_in_its_code(self):
        partner = self.env["ir.model"]._get_id("res.partner")
        action = self.make(model_id=partner)
        self.assertFalse(self.rows(action))
        action.code = "env['soko.mpesa.account'].search([]).write({'stopped_reason': False})"
        noted = self.rows(action)
        self.assertEqual((noted.event, noted.targets, noted.what),
                         ("changed", "soko.mpesa.account", "code"))
        noted.with_user(self.manager).action_acknowledge()
        action.code = "pass"
        self.assertTrue(self.rows(action), "turned away from it is a change, too")
        action.name = "Another"
        self.assertEqual(len(self.rows(action)), 1)

    def test_scheduled_action(self):
        cron = self.env["ir.cron"].with_user(self.admin).create({
            "name": "Nightly", "model_id": self.env["ir.model"]._get_id("account.payment"),
            "state": "code", "code": "model.search([])", "interval_number": 1,
            "interval_type": "days"})
        noted = self.rows(cron.ir_actions_server_id)
        self.assertEqual((noted.kind, noted.event, noted.targets),
                         ("job", "created", "account.payment"))
        noted.with_user(self.manager).action_acknowledge()
        cron.nextcall = "2027-01-01 00:00:00"
        self.assertFalse(self.rows(), "when it runs next is no change of what it does")
        for vals in ({"active": False}, {"code": "pass"}, {"user_id": self.admin.id}):
            cron.write(vals)
            noted = self.rows(cron.ir_actions_server_id)
            self.assertEqual((len(noted), noted.event, noted.what),
                             (1, "changed", next(iter(vals))))
            noted.with_user(self.manager).action_acknowledge()

    def test_own_jobs_that_somebody_switches_off(self):
        cron = self.env.ref("soko_mpesa.ir_cron_sweep").with_user(self.admin)
        cron.active = False
        self.assertEqual(self.rows(cron.ir_actions_server_id).user_id, self.admin)

    def test_parameters_and_numbers(self):
        for name in ("ir.config_parameter", "res.partner.bank"):
            action = self.make(model_id=self.env["ir.model"]._get_id(name))
            self.assertEqual(self.rows(action).targets, name)

    def test_automation_rule(self):
        rules = [Rule(7, "On change", "soko.mpesa.payout", self.admin.id, True, "a"),
                 Rule(8, "Of a module", "soko.mpesa.payout", 1, False, "b")]
        noted = self.env["soko.mpesa.automation"]
        with patch.object(self.registry["soko.mpesa.automation"], "_get_rules",
                          lambda self: rules):
            [row] = self.watch()
            self.assertRegex(row.name, "On change")
            [made] = self.rows()
            self.assertEqual((made.kind, made.event, made.res_id), ("rule", "created", 7))
            made.with_user(self.manager).action_acknowledge()
            self.assertFalse(self.watch(), "as it was acknowledged")
            rules[0] = Rule(7, "On change", "soko.mpesa.payout", self.admin.id, True, "c")
            self.watch()
            self.assertEqual(self.rows().event, "changed")
        self.assertEqual(
            noted.search_count([("res_model", "=", RULES), ("res_id", "=", 8)]), 0,
            "modules bring their own")

    def test_automation_rule_of_the_app(self):
        """The rules of the app itself, where it is installed; else there are none to find."""
        if "base.automation" not in self.env:
            self.assertEqual(self.env["soko.mpesa.automation"]._get_rules(), [])
            return
        rule = self.env["base.automation"].with_user(self.admin).create({
            "name": "On change", "model_id": self.model, "trigger": "on_archive"})
        self.watch()
        self.assertEqual(self.rows(rule).kind, "rule")

    def test_what_modules_bring_is_not_told(self):
        with patch.object(self.registry, "ready", False):
            action = self.make()
            action.code = "1"
        self.assertFalse(self.rows(action))

    def test_who_may_acknowledge(self):
        self.admin.group_ids += self.env.ref("soko_mpesa.soko_mpesa_group_manager")
        noted = self.rows(self.make())
        for user in (self.maker, self.approver, self.accountant):
            with self.assertRaises(AccessError):
                noted.with_user(user).action_acknowledge()
        with self.assertRaisesRegex(UserError, "yourself"):
            noted.with_user(self.admin).action_acknowledge()
        row = self.watch().filtered(lambda one: one.res_id == noted.id)
        self.assertIn(self.manager, row.activity_ids.user_id)
        self.assertNotIn(self.admin, row.activity_ids.user_id, "who made it knows it")
        noted.with_user(self.manager).action_acknowledge()
        with self.assertRaisesRegex(UserError, "already"):
            noted.with_user(self.manager).action_acknowledge()

    def test_rights(self):
        noted = self.rows(self.make())
        for user in (self.manager, self.approver):
            self.assertEqual(noted.with_user(user).name, "Quick fix")
            with self.assertRaises(AccessError):
                noted.with_user(user).write({"state": "acknowledged"})
            with self.assertRaises(AccessError):
                noted.with_user(user).unlink()
        for user in (self.maker, self.accountant, self.admin):
            with self.assertRaises(AccessError):
                noted.with_user(user).read(["name"])
