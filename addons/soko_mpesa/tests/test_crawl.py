import contextlib
import inspect
import logging

from psycopg2 import DatabaseError

from odoo import Command
from odoo.exceptions import AccessError, MissingError, UserError, ValidationError
from odoo.models import BaseModel
from odoo.service.model import get_public_method
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.soko_mpesa_account import OWN_FIELDS
from .common import MpesaCase
from .fake_daraja import payment_result

CANARIES = ("canary-key", "canary-secret", "canary-credential", "canary-pw")
REFUSALS = (AccessError, MissingError, UserError, ValidationError, ValueError, TypeError, KeyError,
            AttributeError, DatabaseError)
NOISE = ("odoo.models", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule",
         "odoo.domains", "odoo.fields", "odoo.sql_db", "odoo.http", "odoo.tools.safe_eval")

# Who may read what; nobody else may, and nobody may write but as the next table says.
READERS = {
    "soko.mpesa.account": {"maker", "approver", "manager", "both"},
    "soko.mpesa.payout": {"maker", "approver", "manager", "both"},
    "soko.mpesa.attempt": {"maker", "approver", "manager", "both"},
    "soko.mpesa.evidence": {"maker", "approver", "manager", "both"},
    "soko.mpesa.inbox": {"manager"},
    "soko.mpesa.secret": set(),
    "soko.mpesa.callback": set(),
}
WRITERS = {"soko.mpesa.account": {"manager"}}
# What even a manager doesn't write on an account.
NOT_BY_HAND = OWN_FIELDS
# They open a list that the reader's own rights fill, whatever the record.
OPENERS = {"action_open_payouts", "action_open_balances", "action_open_lost_claims",
           "action_open_declarations"}
# Our public methods, and who may press them on something of her own company.
BUTTONS = {
    "soko.mpesa.payout": {
        "action_approve": {"approver", "both"},
        "action_cancel": {"maker", "approver", "manager", "both"},
        "action_hold": {"maker", "approver", "manager", "both"},
        "action_release": {"approver", "both"},
        "action_query_now": {"maker", "approver", "manager", "both"},
        "action_resolve": {"approver", "both"},
        "action_approve_checked": {"approver", "both"},
        "action_open_approval": {"approver", "both"},
        "action_open_approval_of_all": {"approver", "both"},
        "action_cancel_unsent": {"maker", "approver", "manager", "both"},
        "action_pay_again": {"maker", "manager", "both"},
        "action_book_again": {"approver", "manager", "both"},
        "action_declare": {"approver", "both"}, "action_open_declarations": None,
        "action_open_payment": None, "action_open_bills": None, "action_print_receipt": None,
    },
    "soko.mpesa.evidence": {"action_show_raw": {"approver", "manager", "both"}},
    "soko.mpesa.account": {
        "action_set_up_journal": {"manager"}, "action_resume": {"manager"},
        "action_check_setup": {"manager"}, "action_ask_balance": {"manager"},
        "action_rotate_keys": {"manager"}, "action_open_golive": None,
        "action_reconciliation": None, "action_open_payouts": None, "action_open_balances": None,
        "action_open_lost_claims": None,
    },
    "res.partner.bank": {
        "action_soko_mpesa_verify": {"approver", "both"},
        "action_soko_mpesa_open_verify": {"approver", "both"},
        "action_soko_mpesa_open_clear": {"approver", "both"},
        "action_soko_mpesa_unverify": None, "retrieve_acc_type": None,
        "action_open_soko_mpesa_history": None,
    },
    "account.payment": {"action_open_soko_mpesa_payout": None},
}
OVERRIDES = {"create", "write", "unlink", "action_post", "action_draft", "action_cancel",
             "button_draft", "button_cancel", "read", "search", "copy", "init",
             "action_register_payment", "action_force_register_payment"}


@tagged("post_install", "-at_install", "mpesa")
class TestCrawl(MpesaCase):
    """Every role at every door of every model of ours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.auto_approve_limit = 0
        cls.account.with_user(cls.manager).initiator_password = "canary-pw"
        cls.users = {
            "maker": cls.maker, "approver": cls.approver, "manager": cls.manager,
            "accountant": cls.accountant, "both": cls.user(
                "crawl_both", "soko_mpesa.soko_mpesa_group_maker,"
                "soko_mpesa.soko_mpesa_group_approver"),
            "internal": cls.user("crawl_internal", "base.group_user"),
            "portal": cls.user("crawl_portal", "base.group_portal"),
            "public": cls.env.ref("base.public_user"),
        }
        cls.records = cls.make_records()
        cls.strangers = cls.make_strangers()

    @classmethod
    def user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env, login, groups=groups, context={"no_reset_password": True},
            company_id=company.id, company_ids=[Command.set(company.ids)])

    @classmethod
    def make_records(cls):
        """:return: one record of each model, by its name"""
        case = cls("test_the_tables_are_whole")
        _bill, payment, payout = case.make_payout()
        payout.with_user(cls.approver).action_approve()
        case.send()
        cls.request = request = cls.daraja.payments[-1]
        case.post(request["ResultURL"], payment_result(request))
        cls.payment, cls.payout = payment, payout
        return {
            "soko.mpesa.account": cls.account, "soko.mpesa.payout": payout,
            "soko.mpesa.attempt": payout.attempt_ids,
            "soko.mpesa.evidence": payout.evidence_ids[:1],
            "soko.mpesa.inbox": cls.env["soko.mpesa.inbox"].search([("state", "=", "applied")])[:1],
            "soko.mpesa.secret": cls.env["soko.mpesa.secret"].search([])[:1],
            "soko.mpesa.callback": cls.env["soko.mpesa.callback"].search([])[:1],
        }

    @classmethod
    def make_strangers(cls):
        """:return: people with all roles, of another company"""
        other = cls.env["res.company"].create({"name": "Another Mfano"})
        roles = ("soko_mpesa.soko_mpesa_group_maker", "soko_mpesa.soko_mpesa_group_approver",
                 "soko_mpesa.soko_mpesa_group_manager,account.group_account_manager")
        return [cls.user(f"crawl_other{number}", groups, other)
                for number, groups in enumerate(roles)]

    @contextlib.contextmanager
    def undone(self):
        """Whatever is done here never was."""
        with contextlib.suppress(ZeroDivisionError), mute_logger(*NOISE), self.cr.savepoint():
            yield
            self.env.flush_all()
            raise ZeroDivisionError
        self.env.invalidate_all(flush=False)

    def rpc(self, user, model, method, ids=(), *arguments, **keywords):
        """Call as the RPC service does: only what is public there. :return: (allowed, answer)"""
        records = self.env[model].with_user(user).with_context(allowed_company_ids=None)
        transaction = self.env.transaction
        before, transaction.default_env = transaction.default_env, records.env
        try:
            with self.cr.savepoint():
                function = get_public_method(records, method)
                target = records if hasattr(function, "_api_model") else records.browse(ids)
                return True, function(target, *arguments, **keywords)
        except REFUSALS as error:
            return False, error
        finally:
            transaction.default_env = before

    # === TABLES === #

    def test_the_tables_are_whole(self):
        """A new model or button has to be entered above, with who may use it."""
        ours = {name for name, model in self.env.registry.items()
                if name.startswith("soko.mpesa.") and model._module == "soko_mpesa"
                and not model._abstract and not model._transient}
        self.assertLessEqual(set(READERS), ours)
        for name in READERS:
            self.assertEqual(self.public_methods(name), set(BUTTONS.get(name, ())), name)
        for name in ("res.partner.bank", "account.payment", "account.move", "res.company"):
            self.assertEqual(self.public_methods(name), set(BUTTONS.get(name, ())), name)

    def public_methods(self, model):
        """:return: names of methods that this module adds and everybody may call by RPC"""
        names = set()
        for owner in type(self.env[model]).__mro__:
            if owner.__module__.startswith("odoo.addons.soko_mpesa."):
                names |= {name for name, value in vars(owner).items()
                          if inspect.isfunction(value) and not name.startswith("_")
                          and not getattr(value, "_api_private", False)}
        known = {name for name in names if hasattr(BaseModel, name)}
        return names - (OVERRIDES - set(BUTTONS.get(model, ()))) - known

    # === S14: FIELDS === #

    def test_reading(self):
        for model, record in self.records.items():
            for role, user in self.users.items():
                with self.subTest(model=model, role=role), mute_logger(*NOISE):
                    allowed, _answer = self.rpc(user, model, "read", record.ids, ["id"])
                    self.assertEqual(allowed, role in READERS[model])
                    allowed, found = self.rpc(user, model, "search_read", (), [], ["id"])
                    self.assertEqual(bool(allowed and found), role in READERS[model])

    def test_whoever_has_no_role_sees_no_model_of_ours(self):
        """Models that this crawl has no record of, wizards included."""
        for name, model in self.env.registry.items():
            if not name.startswith("soko.mpesa.") or model._abstract:
                continue
            for role in ("accountant", "internal", "portal", "public"):
                with self.subTest(model=name, role=role), mute_logger(*NOISE):
                    for method, arguments in (("search_read", ([], ["id"])), ("create", ({},))):
                        self.assertFalse(self.rpc(self.users[role], name, method, (),
                                                  *arguments)[0], method)

    def test_writing_every_stored_field(self):
        for model, record in self.records.items():
            stored = [field for field in record._fields.values()
                      if field.store and field.type not in ("one2many", "many2many")]
            for role, user in self.users.items():
                wrote = {field.name for field in stored if self.may_write(user, record, field)}
                expected = set()
                if role in WRITERS.get(model, ()):
                    expected = {field.name for field in stored} - NOT_BY_HAND
                    expected -= {"id", "create_uid", "create_date", "write_uid", "write_date"}
                    wrote &= expected | NOT_BY_HAND
                self.assertEqual(wrote, expected, (model, role))

    def may_write(self, user, record, field):
        """:return: whether a user may write a field with the value that it has"""
        value = field.convert_to_write(record.sudo()[field.name], record)
        with self.undone():
            allowed, _answer = self.rpc(
                user, record._name, "write", record.ids, {field.name: value})
        return allowed

    def test_creating_copying_deleting(self):
        for model, record in self.records.items():
            for role, user in self.users.items():
                with self.subTest(model=model, role=role):
                    self.check_no_birth_or_death(model, record, role, user)

    def check_no_birth_or_death(self, model, record, role, user):
        makes = role in WRITERS.get(model, ())
        with self.undone():
            allowed, copy = self.rpc(user, model, "copy", record.ids, {"shortcode": "600001",
                                                                       "journal_id": False}
                                     if model == "soko.mpesa.account" else {})
            self.assertEqual(allowed, makes)
            if allowed:
                copy = self.env[model].browse(copy.ids)
                self.assertFalse(copy.stored_secrets, "a copy has no credentials")
                self.assertTrue(copy._get_blocking_reasons())
        with self.undone():
            allowed, _answer = self.rpc(user, model, "unlink", record.ids)
            self.assertFalse(allowed)
        with self.undone():
            allowed, _answer = self.rpc(user, model, "create", (), {})
            self.assertFalse(allowed)
        with self.undone():
            allowed, answer = self.rpc(user, model, "load", (), ["id"], [["x"]])
            self.assertFalse(allowed and answer.get("ids"))

    def test_commands_through_other_models(self):
        """Nothing of ours is written through a relation of something else."""
        tries = (
            ("account.payment", self.payment, {"soko_mpesa_payout_ids": [
                Command.update(self.payout.id, {"msisdn": "254711111111"})]}),
            ("account.payment", self.payment, {"soko_mpesa_payout_ids": [
                Command.delete(self.payout.id)]}),
            ("soko.mpesa.account", self.account, {"payout_ids": [
                Command.update(self.payout.id, {"amount": 99})]}),
            ("soko.mpesa.account", self.account, {"message_ids": [Command.clear()]}),
        )
        for model, record, values in tries:
            for role, user in self.users.items():
                with self.subTest(role=role, values=values), self.undone():
                    self.rpc(user, model, "write", record.ids, values)
                    with contextlib.suppress(*REFUSALS):
                        self.env.flush_all()
                    self.assertEqual((self.payout.msisdn, self.payout.amount),
                                     ("254700000041", 1500))

    # === S15, S28: METHODS === #

    def test_every_button_as_every_role(self):
        for model, buttons in BUTTONS.items():
            for method, allowed_roles in buttons.items():
                for role, user in self.users.items():
                    if allowed_roles is None or role in allowed_roles:
                        continue
                    with self.subTest(method=method, role=role), self.undone():
                        record = self.records.get(model) or self.target(model)
                        allowed, answer = self.rpc(user, model, method, record.ids)
                        self.assertFalse(allowed)
                        # who is asked for a password first gets no further without a screen
                        kind = UserError if method == "action_approve_checked" else AccessError
                        self.assertIsInstance(answer, kind)

    def target(self, model):
        return {"res.partner.bank": self.bank, "account.payment": self.payment}[model]

    def test_everything_as_a_stranger(self):
        """People with all roles, but of another company."""
        for user in self.strangers:
            for model, record in self.records.items():
                with self.undone():
                    self.check_stranger(user, model, record)
            for model, buttons in BUTTONS.items():
                record = self.records.get(model) or self.target(model)
                for method in buttons.keys() - OPENERS:
                    if model in READERS:
                        with self.subTest(method=method, user=user.login), self.undone():
                            self.assertFalse(self.rpc(user, model, method, record.ids)[0])

    def check_stranger(self, user, model, record):
        for method, arguments in (
            ("read", (["id"],)), ("write", ({"id": record.id},)), ("unlink", ()), ("copy", ()),
            ("export_data", (["id", "display_name"],)), ("web_read", ({"display_name": {}},)),
            ("message_post", ()), ("get_formview_action", ()),
        ):
            allowed, answer = self.rpc(user, model, method, record.ids, *arguments)
            self.assertFalse(allowed and answer and method != "get_formview_action",
                             (model, method, answer))
        for method, arguments in (
            ("search", ([],)), ("search_count", ([],)), ("name_search", ()),
            ("search_read", ([],)),
        ):
            allowed, answer = self.rpc(user, model, method, (), *arguments)
            if not allowed or not answer:
                continue
            found = self.env[model].with_user(user).search([])
            self.assertNotIn(record, found, (model, method))

    # === S19: SECRETS === #

    def everything_said(self, user, model, record):
        """:return: all that a user is told about a record, as one text"""
        fields = list(record._fields)
        said = []
        for method, ids, arguments in (
            ("read", record.ids, ()), ("search_read", (), ([],)), ("fields_get", (), ()),
            ("default_get", (), (fields,)), ("web_read", record.ids, ({f: {} for f in fields},)),
            ("export_data", record.ids, (fields,)), ("copy_data", record.ids, ()),
            ("name_search", (), ()), ("onchange", record.ids, ({}, [], {f: {} for f in fields})),
            ("formatted_read_group", (), ([], [], ["__count"])),
            ("get_views", (), ([[False, "form"], [False, "list"]],)),
        ):
            said.append(str(self.rpc(user, model, method, ids, *arguments)[1]))
        for field in fields:
            said.append(str(self.rpc(user, model, "read", record.ids, [field])[1]))
            said.append(str(self.rpc(
                user, model, "formatted_read_group", (), [], [field], ["__count"])[1]))
        return "\n".join(said)

    def test_canaries_are_told_to_nobody(self):
        users = {**self.users, "admin": self.env.ref("base.user_admin")}
        for role in ("maker", "manager", "accountant", "public", "admin"):
            for model, record in {**self.records, "res.company": self.company}.items():
                with self.undone():
                    said = self.everything_said(users[role], model, record)
                    for canary in CANARIES:
                        self.assertNotIn(canary, said, (role, model))

    def test_probing_by_domains(self):
        """A search must not answer whether a secret begins with a letter."""
        tries = [("soko.mpesa.secret", "cipher"), ("soko.mpesa.callback", "token_sha256")]
        tries += [("soko.mpesa.account", name) for name in (
            "consumer_key", "consumer_secret", "initiator_password", "security_credential")]
        for model, field in tries:
            for role, user in self.users.items():
                for operator, value in (("=like", "%"), ("ilike", "canary"), ("!=", False)):
                    with self.subTest(field=field, role=role), mute_logger(*NOISE):
                        allowed, found = self.rpc(
                            user, model, "search_count", (), [(field, operator, value)])
                        self.assertFalse(allowed and found)

    def test_probing_through_relations(self):
        for path in ("attempt_ids.evidence_ids.callback_id.token_sha256",
                     "evidence_ids.callback_id.token_sha256"):
            for role in ("maker", "approver", "manager"):
                with mute_logger(*NOISE):
                    allowed, found = self.rpc(self.users[role], "soko.mpesa.payout",
                                              "search_count", (), [(path, "=like", "%")])
                self.assertFalse(allowed and found, (path, role))

    def test_canaries_are_stored_nowhere_in_clear(self):
        """S19, I-20: not in messages, attachments, logs, parameters nor any table of ours."""
        self.env.flush_all()
        tables = [self.env[name]._table for name in (
            *READERS, "mail.message", "mail.tracking.value", "ir.logging", "ir.attachment",
            "ir.config_parameter", "ir.cron.trigger", "mail.activity", "res.company")]
        for table in tables:
            for canary in CANARIES:
                self.cr.execute(
                    f'SELECT count(*) FROM "{table}" t WHERE strpos(t::text, %s) > 0', [canary])
                self.assertEqual(self.cr.fetchone()[0], 0, (table, canary))
        token = self.request["ResultURL"].rsplit("/", 1)[1]
        for name in READERS:
            self.cr.execute(
                f'SELECT count(*) FROM "{self.env[name]._table}" t '
                "WHERE strpos(t::text, %s) > 0", [token])
            self.assertEqual(self.cr.fetchone()[0], 0, name)

    def test_errors_have_no_secret(self):
        logger = logging.getLogger("odoo")
        with self.assertLogs(logger, "DEBUG") as logs:
            for values in ({"consumer_key": "canary-new", "shortcode": "1"},
                           {"initiator_password": "canary-new", "certificate": "cnViYmlzaA=="},
                           {"consumer_secret": "canary-new", "environment": "nowhere"}):
                with self.undone():
                    allowed, error = self.rpc(
                        self.manager, "soko.mpesa.account", "write", self.account.ids, values)
                    self.assertFalse(allowed)
                    self.assertNotIn("canary", f"{error} {error.args}")
            logger.debug("end")
        self.assertNotIn("canary", "\n".join(logs.output))
