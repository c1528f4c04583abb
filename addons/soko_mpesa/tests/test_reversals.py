import json

from odoo.tests import new_test_user, tagged

from .fake_daraja import payment_result
from .test_statement import RECEIPT, StatementCase


@tagged("post_install", "-at_install", "mpesa")
class TestReversals(StatementCase):
    """A reversal opens a bill again, so no person can bring it about alone."""

    def setUp(self):
        super().setUp()
        self.other = new_test_user(
            self.env, "mpesa_other_approver", groups="soko_mpesa.soko_mpesa_group_approver",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def reverse(self, receipt="SG63BACK00", amount=1500, **more):
        return self.came(receipt, amount, **{
            "minutes": 5, "Reason Type": "Transaction Reversal",
            "Details": f"Reversal of {RECEIPT}", **more})

    def try_again(self, statement, user):
        statement.row_ids.filtered(lambda row: row.kind == "reversal").with_user(
            user).action_try_again()

    def assertDoubted(self, bill, payout, statement, words):
        row = statement.row_ids.filtered(lambda row: row.kind == "reversal")
        self.assertEqual((payout.attempt_ids.state, payout.state), ("paid", "exception"))
        self.assertEqual((bill.payment_state, row.state), ("paid", "listed"))
        self.assertEqual(self.kinds(statement), ["contradiction"])
        self.assertRegex(payout.exception_reason, words)
        self.assertNotIn("SG63BACK00/reversal", self.booked())
        self.assertExplained()

    def assertReversed(self, bill, payout):
        self.assertEqual(payout.state, "reversed")
        self.assertEqual((bill.payment_state, bill.amount_residual), ("not_paid", 1500))
        self.assertEqual(self.booked()["SG63BACK00/reversal"], 1500)

    def test_one_line_waits_for_the_payment_s_own_row(self):
        bill, _payment, payout = self.pay()
        paid, charged, back = self.paid(), self.charged(), self.reverse()
        statement = self.load(back)
        self.assertDoubted(bill, payout, statement, "has the payment itself")
        self.load(paid, charged)
        self.assertReversed(bill, payout)
        self.assertFalse(payout.exception_reason, "the doubt is over")
        self.assertExplained()

    def test_row_of_the_payment_in_an_earlier_statement(self):
        bill, _payment, payout = self.pay()
        self.load(self.paid(), self.charged())
        statement = self.load(self.reverse())
        self.assertReversed(bill, payout)
        self.assertEqual(self.kinds(statement), [])

    def test_statement_that_does_not_add_up(self):
        bill, _payment, payout = self.pay()
        rows = [self.paid(), self.charged(), self.reverse()]
        rows[2]["Balance"] = "1.00"
        statement = self.upload(rows)
        statement.action_check()
        statement.action_import()
        statement = statement.with_env(self.env)
        self.assertFalse(statement.sound)
        self.assertEqual(payout.state, "exception")
        self.assertIn("add up", payout.exception_reason)
        self.assertEqual(bill.payment_state, "paid")

    def test_maker_brings_no_reversal(self):
        self.maker.group_ids += self.env.ref("soko_mpesa.soko_mpesa_group_manager")
        bill, _payment, payout = self.make_payout()
        payout.with_user(self.approver).action_approve()
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        statement = self.load(self.paid(), self.charged(), self.reverse(), user=self.maker)
        self.assertDoubted(bill, payout, statement, "mpesa_maker.* made the payment")
        self.try_again(statement, self.maker)
        self.assertDoubted(bill, payout, statement, "made the payment")
        self.load(self.topped_up(minutes=9))
        self.assertDoubted(bill, payout, statement, "made the payment")
        self.try_again(statement, self.approver)
        self.assertReversed(bill, payout)
        row = statement.row_ids.filtered(lambda row: row.kind == "reversal")
        self.assertEqual((row.confirmed_by, row.state), (self.approver, "booked"))

    def test_second_person(self):
        """Neither who imported it, nor a manager, nor a second login of the importer."""
        bill, _payment, payout = self.pay()
        statement = self.load(self.reverse())
        twin = new_test_user(
            self.env, "mpesa_twin", groups="soko_mpesa.soko_mpesa_group_approver",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
        twin.partner_id = self.approver.partner_id
        for user in (self.approver, self.manager, twin):
            self.try_again(statement, user)
            self.assertDoubted(bill, payout, statement, "has the payment itself")
        self.try_again(statement, self.other)
        self.assertReversed(bill, payout)
        fact = payout.evidence_ids.filtered(lambda fact: fact.verdict == "reversal")
        self.assertEqual(json.loads(fact.body)["confirmed_by"], self.other.id)

    def test_what_was_dealt_with_is_not_raised_again(self):
        bill, _payment, payout = self.pay()
        self.load(self.reverse())
        payout.with_user(self.approver).action_resolve()
        self.load(self.topped_up())
        self.assertEqual((payout.state, bill.payment_state), ("paid", "paid"))
