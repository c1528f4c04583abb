from odoo import Command, fields
from odoo.tests import tagged

from .common import MpesaCase

RULE = "carried cents of a payee are never negative"


@tagged("post_install", "-at_install", "mpesa")
class TestCarriedCompanies(MpesaCase):
    """A branch may share the account of the cents; what it carries is its own."""

    def setUp(self):
        super().setUp()
        self.branch = self.env["res.company"].create({
            "name": "Mfano Branch", "country_id": self.company.country_id.id,
            "currency_id": self.company.currency_id.id, "parent_id": self.company.id})
        self.env.user.company_ids += self.branch
        self.manager.company_ids += self.branch
        remainder = self.account.remainder_account_id
        self.other = self.env["soko.mpesa.account"].with_company(self.branch).create({
            "name": "Branch", "shortcode": "600993", "company_id": self.branch.id,
            "initiator_name": "testapi", "remainder_account_id": remainder.id})
        self.pay_bill(self.make_bill(100.7))
        self.env = self.env(context={
            **self.env.context, "allowed_company_ids": (self.company + self.branch).ids})

    def take_in_branch(self, cents):
        """Book that the branch paid `cents` of the payee's more than it carried."""
        remainder = self.account.remainder_account_id
        move = self.env["account.move"].create({
            "company_id": self.branch.id, "date": fields.Date.today(),
            "journal_id": self.env["account.journal"].search([
                ("type", "=", "general"), ("company_id", "=", self.company.id)], limit=1).id,
            "line_ids": [Command.create({
                "account_id": account.id, "partner_id": partner.id, "debit": debit,
                "credit": credit,
            }) for account, partner, debit, credit in (
                (remainder, self.payee, cents, 0),
                (self.account.journal_id.default_account_id, self.env["res.partner"], 0, cents))]})
        move.action_post()
        self.assertEqual(move.line_ids.company_id, self.branch)

    def test_each_company_carries_its_own(self):
        mine = self.account._get_carried(self.payee)
        self.assertAlmostEqual(float(mine[self.payee.id]), 0.7)
        self.assertEqual(self.other._get_carried(self.payee), {})

    def test_one_s_cents_do_not_hide_the_other_s_debt(self):
        self.assertNoViolation()
        self.take_in_branch(0.5)
        found = self.env["soko.mpesa.payout"]._invariant_violations()
        self.assertEqual([row[1] for row in found[RULE]], [self.payee.id])
