import base64

from psycopg2.errors import CheckViolation, UniqueViolation

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .fake_daraja import payment_result
from .test_statement import RECEIPT, StatementCase

LETTER = base64.b64encode(b"M-Pesa support: no such payment")


@tagged("post_install", "-at_install", "mpesa")
class TestDeclaration(StatementCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = new_test_user(
            cls.env, "mpesa_second", groups="soko_mpesa.soko_mpesa_group_approver",
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])

    def setUp(self):
        super().setUp()
        self.bill, self.payment, self.payout = self.lose()
        self.age(self.payout, hours=25)

    def declare(self, user=None, **values):
        return self.env["soko.mpesa.declaration"].with_user(user or self.approver).create({
            "payout_id": self.payout.id, **values})

    def declare_paid(self, receipt=RECEIPT, **values):
        return self.declare(outcome="paid", receipt=receipt, **values)

    def declare_not_paid(self, **values):
        return self.declare(**{
            "outcome": "not_paid", "case_number": "CASE-41", "document": LETTER, **values})

    def test_paid(self):
        declaration = self.declare_paid(" sg632nmuab ")
        self.assertEqual(self.payout.state, "in_flight", "one person proves nothing")
        declaration.with_user(self.second).action_confirm()
        self.assertEqual((self.payout.state, self.payout.receipt), ("paid", RECEIPT))
        self.assertEqual((self.payment.state, self.bill.payment_state), ("paid", "paid"))
        evidence = self.payout.evidence_ids.filtered(lambda e: e.kind == "human")
        self.assertEqual((evidence.verdict, evidence.channel), ("positive", "person"))
        self.assertIn(self.second.name, evidence.description)
        self.load(self.paid(), self.charged())
        self.assertEqual(self.payout.statement_row_id.receipt, RECEIPT)
        self.assertNoViolation()

    def test_not_paid(self):
        self.declare_not_paid().with_user(self.second).action_confirm()
        self.assertEqual((self.payout.state, self.bill.payment_state), ("failed", "not_paid"))
        self.assertEqual(self.payment.state, "rejected")
        self.assertNoViolation()

    def test_two_persons(self):
        declaration = self.declare_not_paid()
        with self.assertRaisesRegex(AccessError, "another approver"):
            declaration.with_user(self.approver).action_confirm()
        for user in (self.maker, self.manager, self.accountant):
            with self.assertRaises(AccessError):
                declaration.with_user(user).action_confirm()
        with self.assertRaises(CheckViolation), mute_logger("odoo.sql_db"), \
                self.env.cr.savepoint():
            declaration.sudo().write({
                "state": "confirmed", "confirmed_by": declaration.declared_by.id})
            self.env.flush_all()
        self.assertEqual((declaration.state, self.payout.state), ("open", "in_flight"))

    def test_maker_neither_declares_nor_confirms(self):
        self.maker.group_ids += self.env.ref("soko_mpesa.soko_mpesa_group_approver")
        with self.assertRaisesRegex(AccessError, "You made"):
            self.declare(self.maker, outcome="paid", receipt=RECEIPT)
        declaration = self.declare_paid()
        with self.assertRaisesRegex(AccessError, "You made"):
            declaration.with_user(self.maker).action_confirm()

    def test_grounds(self):
        for values, error in (
            ({"outcome": "paid"}, ValidationError),
            ({"outcome": "paid", "receipt": "SG 1!"}, ValidationError),
            ({"outcome": "not_paid", "case_number": "CASE-41"}, CheckViolation),
            ({"outcome": "not_paid", "document": LETTER}, CheckViolation),
            ({"outcome": "not_paid", "receipt": RECEIPT}, CheckViolation),
        ):
            with self.subTest(values), self.assertRaises(error), \
                    mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self.declare(**values)
                self.env.flush_all()
        other = self.make_payout(300)[2]
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(other.receipt, RECEIPT)
        with self.assertRaisesRegex(ValidationError, "another payment"):
            self.declare_paid()

    def test_nothing_else_can_be_said(self):
        for values in ({"confirmed_by": self.second.id}, {"state": "confirmed"},
                       {"declared_by": self.second.id}, {"attempt_id": 1}):
            with self.subTest(values), self.assertRaises(AccessError):
                self.declare_paid(**values)
        declaration = self.declare_paid()
        for values in ({"outcome": "not_paid"}, {"receipt": "SG63OTHER0"}, {"state": "confirmed"},
                       {"payout_id": self.payout.id}):
            with self.subTest(values), self.assertRaises(AccessError):
                declaration.with_user(self.second).write(values)
        with self.assertRaises(AccessError):
            declaration.with_user(self.second).unlink()

    def test_not_before_a_day(self):
        self.age(self.payout, hours=23)
        with self.assertRaisesRegex(UserError, "less than a day"):
            self.declare_paid()
        with self.assertRaisesRegex(UserError, "less than a day"):
            self.payout.with_user(self.approver).action_declare()
        self.payout._raise_exception("contradiction")
        self.assertEqual(
            self.payout.with_user(self.approver).action_declare()["res_model"],
            "soko.mpesa.declaration")
        self.declare_paid()

    def test_proof_was_faster(self):
        declaration = self.declare_not_paid()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        with self.assertRaisesRegex(UserError, "proven meanwhile"):
            declaration.with_user(self.second).action_confirm()
        declaration.with_user(self.approver).action_withdraw()
        self.assertEqual((declaration.state, self.payout.state), ("withdrawn", "paid"))
        with self.assertRaises(UserError):
            self.declare_paid("SG63OTHER0")

    def test_one_open_declaration(self):
        self.declare_paid().with_user(self.second).action_withdraw()
        self.declare_paid()
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), \
                self.env.cr.savepoint():
            self.declare_not_paid()
            self.env.flush_all()

    def test_paid_after_two_persons_said_it_was_not(self):
        """T14: what two persons declared is overridden by proof."""
        self.declare_not_paid().with_user(self.second).action_confirm()
        self.load(self.paid(minutes=-25 * 60), self.charged(minutes=-25 * 60))
        self.assertEqual((self.payout.state, self.payout.attempt_ids.state), ("exception", "paid"))
        self.assertEqual(self.bill.payment_state, "paid")
        self.assertNoViolation()

    def test_other_company_sees_nothing(self):
        declaration = self.declare_paid()
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "mpesa_elsewhere", company_id=other.id,
            company_ids=[Command.set(other.ids)],
            groups="soko_mpesa.soko_mpesa_group_approver,soko_mpesa.soko_mpesa_group_manager")
        for name in ("soko.mpesa.declaration", "soko.mpesa.statement",
                     "soko.mpesa.statement.row", "soko.mpesa.difference"):
            model = self.env[name].with_user(stranger).with_context(allowed_company_ids=other.ids)
            self.assertFalse(model.search([]), name)
        with self.assertRaises(AccessError):
            declaration.with_user(stranger).with_context(
                allowed_company_ids=other.ids).action_confirm()
        self.assertEqual(declaration.state, "open")
        self.assertLess(declaration.declared_at, fields.Datetime.add(self.now, hours=1))
