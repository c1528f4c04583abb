from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .test_run import RunCase


@tagged("post_install", "-at_install", "mpesa")
class TestRunPersons(RunCase):
    """Who may set the limit gets nothing paid alone, not by way of the scheduled run either."""

    def setUp(self):
        super().setUp()
        self.partners = self.make_payees(1)
        self.boss = new_test_user(
            self.env, "mpesa_boss", company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            groups="soko_mpesa.soko_mpesa_group_manager,account.group_account_invoice")
        self.account.with_user(self.boss).write({
            "pay_due": "daily", "pay_due_next": fields.Date.today(), "auto_approve_limit": 250000})

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def draft_as(self, user):
        bill = self.make_bills(self.partners, 1900)
        bill.button_draft()
        copied = bill.with_user(user).copy({"invoice_date": bill.invoice_date})
        bill.unlink()
        return copied

    def pay_by_schedule(self):
        self.account.pay_due_next = fields.Date.today()
        self.run_cron("soko.mpesa.run", "_cron_schedule")
        self.work()
        payout = self.env["soko.mpesa.payout"].search([("partner_id", "in", self.partners.ids)])
        self.assertEqual(payout.maker_id, self.env.ref("base.user_root"))
        return payout

    def test_manager_enters_and_posts(self):
        self.draft_as(self.boss).action_post()
        payout = self.pay_by_schedule()
        self.assertEqual(payout.state, "submitted")
        self.send()
        self.assertFalse(self.daraja.payments)
        payout.with_user(self.approver).action_approve()
        self.assertEqual(payout.state, "approved")

    def test_manager_enters_and_another_posts(self):
        self.draft_as(self.boss).with_user(self.maker).action_post()
        self.assertEqual(self.pay_by_schedule().state, "submitted")

    def test_manager_posts_what_another_entered(self):
        bill = self.draft_as(self.maker)
        bill.with_user(self.boss).action_post()
        self.assertEqual(bill.sudo().soko_mpesa_posted_by, self.boss)
        self.assertEqual(self.pay_by_schedule().state, "submitted")

    def test_manager_s_bill_that_recurs(self):
        bill = self.draft_as(self.boss)
        bill.write({"auto_post": "monthly", "invoice_date": fields.Date.add(
            fields.Date.today(), months=-1)})
        bill.action_post()
        again = self.env["account.move"].search([("auto_post_origin_id", "=", bill.id),
                                                 ("id", "!=", bill.id)])
        again.auto_post = "no"
        # Odoo's job makes and posts the copies, as OdooBot
        self.env.cr.execute("UPDATE account_move SET create_uid = 1 WHERE id = %s", [again.id])
        again.invalidate_recordset()
        again.sudo().with_user(self.env.ref("base.user_root")).action_post()
        self.assertEqual(again.sudo().soko_mpesa_posted_by.id, 1)
        self.assertIn(self.boss, again._soko_mpesa_get_makers())

    def test_what_others_or_the_system_made_goes_by_itself(self):
        self.draft_as(self.maker).with_user(self.maker).action_post()
        self.assertEqual(self.pay_by_schedule().state, "approved")
        self.partners = self.make_payees(1, first=300)
        bill = self.make_bills(self.partners, 1900)
        self.assertEqual(bill.create_uid.id, self.env.uid)
        self.assertEqual(self.pay_by_schedule().state, "approved")

    def test_nobody_writes_who_posted(self):
        bill = self.draft_as(self.boss)
        for user in (self.boss, self.maker, self.env.ref("base.user_admin")):
            with self.assertRaises(AccessError):
                bill.with_user(user).write({"soko_mpesa_posted_by": self.maker.id})
