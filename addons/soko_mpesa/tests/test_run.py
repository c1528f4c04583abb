import logging
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import payment_result


class RunCase(MpesaCase):
    """Many payees that are paid by M-Pesa."""

    @classmethod
    def make_payees(cls, count, first=100):
        """:return: res.partner, each with a verified number and M-Pesa as payment method"""
        partners = cls.env["res.partner"].create([
            {"name": f"Payee {number} Mfano"} for number in range(first, first + count)])
        banks = cls.env["res.partner.bank"].with_user(cls.maker).create([
            {"partner_id": partner.id, "acc_number": f"254700{number:06}", "acc_type": "mpesa"}
            for number, partner in enumerate(partners, first)])
        banks.with_user(cls.approver).action_soko_mpesa_verify()
        partners.with_company(cls.company).write(
            {"property_outbound_payment_method_line_id": cls.method_line.id})
        return partners

    def make_bills(self, partners, amount=100, **values):
        """:return: one posted bill of `amount` shillings for each partner"""
        journal = self.env["account.journal"].search(
            [("type", "=", "purchase"), ("company_id", "=", self.company.id)], limit=1)
        bills = self.env["account.move"].create([{
            "move_type": "in_invoice", "partner_id": partner.id, "journal_id": journal.id,
            "invoice_date": fields.Date.today(), "invoice_line_ids": [Command.create({
                "name": "Two cuffs", "quantity": 1, "price_unit": amount, "tax_ids": []})],
            **values,
        } for partner in partners])
        bills.action_post()
        return bills

    def make_run(self, user=None, **values):
        run = self.env["soko.mpesa.run"].with_user(user or self.maker).create(
            {"account_id": self.account.id, **values})
        run.action_collect()
        return run

    def work(self):
        self.run_cron("soko.mpesa.run", "_cron_run")
        self.env.invalidate_all()


@tagged("post_install", "-at_install", "mpesa")
class TestRun(RunCase):
    def setUp(self):
        super().setUp()
        self.partners = self.make_payees(3)

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def line(self, run, partner):
        return run.line_ids.filtered(lambda line: line.partner_id == partner)

    # === PREVIEW === #

    def test_preview(self):
        self.account.sudo().write({"float_amount": 10_000, "float_at": fields.Datetime.now()})
        self.make_bills(self.partners, 400)
        self.make_bills(self.partners[:1], 200.5)
        run = self.make_run()
        self.assertEqual((run.to_pay_count, run.total, run.waiting_count), (3, 1400, 0))
        self.assertEqual(run.fees, 15)
        self.assertEqual((run.float_amount, run.float_after), (10_000, 10_000 - 1400 - 15))
        self.assertEqual(run.news_count, 3, "nobody was paid before")
        self.assertEqual(self.line(run, self.partners[0]).amount, 600)
        self.assertFalse(self.env["account.payment"].search([
            ("partner_id", "in", self.partners.ids)]), "a preview pays nobody")

    def test_one_payment_a_payee_settles_all_due_bills(self):
        bills = self.make_bills(self.partners, 400) | self.make_bills(self.partners[:1], 200.5)
        run = self.make_run()
        run.action_confirm()
        self.assertEqual(run.state, "running")
        self.work()
        self.assertEqual((run.state, run.done_count, run.failed_count, run.progress),
                         ("done", 3, 0, 100))
        payments = run.line_ids.payment_ids
        self.assertEqual(sorted(payments.mapped("amount")), [400, 400, 600])
        self.assertEqual(set(bills.mapped("payment_state")), {"in_payment"})
        self.assertEqual(payments.soko_mpesa_payout_ids.maker_id, self.maker)
        self.assertEqual(set(payments.soko_mpesa_payout_ids.mapped("state")), {"approved"})
        carried = self.account._get_carried(self.partners)
        self.assertEqual({key: float(value) for key, value in carried.items()},
                         {self.partners[0].id: 0.5})
        self.send()
        for number, request in enumerate(self.daraja.payments):
            self.post(request["ResultURL"], payment_result(request, receipt=f"SG632NMUA{number}"))
        self.assertEqual(set(bills.mapped("payment_state")), {"paid"})

    def test_credit_notes_are_netted(self):
        bills = self.make_bills(self.partners[:1], 400)
        notes = self.make_bills(self.partners[:1], 150, move_type="in_refund")
        notes |= self.make_bills(self.partners[1:2], 150, move_type="in_refund")
        run = self.make_run()
        self.assertEqual((run.to_pay_count, run.total), (1, 250))
        self.assertIn("credit notes", self.line(run, self.partners[1]).reason)
        run.action_confirm()
        self.work()
        self.assertEqual((bills | notes[0]).mapped("amount_residual"), [0, 0])
        self.assertEqual(notes[1].amount_residual, 150)

    def test_too_little_waits_and_too_much_is_split(self):
        self.account.payment_limit = 1000
        self.make_bills(self.partners[:1], 6)
        self.make_bills(self.partners[1:2], 2005)
        run = self.make_run()
        waiting, large = self.line(run, self.partners[0]), self.line(run, self.partners[1])
        self.assertEqual((waiting.state, waiting.owed), ("waiting", 6))
        self.assertIn("next bills", waiting.reason)
        self.assertEqual((large.part_count, large.amount), (3, 2005))
        run.action_confirm()
        self.work()
        self.assertEqual(sorted(large.payment_ids.mapped("amount")), [10, 995, 1000])
        self.make_bills(self.partners[:1], 6)
        again = self.make_run()
        self.assertEqual((again.total, self.line(again, self.partners[1])), (12, large.browse()))

    def test_who_is_not_paid_and_why(self):
        self.make_bills(self.partners, 100)
        self.partners[0].bank_ids.action_soko_mpesa_unverify()
        self.partners[1].with_company(self.company).property_outbound_payment_method_line_id = False
        run = self.make_run()
        self.assertIn("isn't verified", self.line(run, self.partners[0]).reason)
        self.assertFalse(self.line(run, self.partners[1]), "she is paid in another way")
        self.assertEqual((run.to_pay_count, run.waiting_count), (1, 1))

    def test_due_later_and_other_vendors(self):
        today = fields.Date.today()
        self.make_bills(self.partners, 100, invoice_date_due=fields.Date.add(today, days=9))
        self.assertEqual(self.make_run().to_pay_count, 0)
        later = self.make_run(date_to=fields.Date.add(today, days=9),
                              partner_ids=self.partners[:1].ids)
        self.assertEqual(later.line_ids.partner_id, self.partners[0])

    def test_bills_in_payment_are_not_paid_again(self):
        bills = self.make_bills(self.partners, 100)
        self.pay_bill(bills[0])
        self.assertEqual(self.make_run().line_ids.partner_id, self.partners[1:])

    def test_leave_out(self):
        self.make_bills(self.partners, 100)
        run = self.make_run()
        self.line(run, self.partners[0]).with_user(self.maker).action_leave_out()
        self.assertEqual((run.to_pay_count, run.total), (2, 200))
        with self.assertRaises(AccessError):
            self.line(run, self.partners[1]).with_user(self.approver).action_leave_out()

    def test_nobody_to_pay(self):
        run = self.make_run()
        with self.assertRaisesRegex(UserError, "nobody to pay"):
            run.action_confirm()

    # === PAYING === #

    def test_one_that_fails_keeps_no_other(self):
        bills = self.make_bills(self.partners, 100)
        run = self.make_run()
        run.action_confirm()
        self.partners[1].bank_ids.with_user(self.maker).action_soko_mpesa_unverify()
        self.work()
        self.assertEqual((run.state, run.done_count, run.failed_count), ("done", 2, 1))
        self.assertIn("verified", self.line(run, self.partners[1]).reason)
        self.assertEqual(bills[1].payment_state, "not_paid")

    def test_bill_paid_between_preview_and_payment(self):
        bills = self.make_bills(self.partners, 100)
        run = self.make_run()
        run.action_confirm()
        self.pay_bill(bills[0])
        self.work()
        line = self.line(run, self.partners[0])
        self.assertEqual((line.state, len(bills[0].matched_payment_ids)), ("failed", 1))
        self.assertIn("meanwhile", line.reason)
        self.assertEqual(run.done_count, 2)

    def test_killed_between_chunks(self):
        """What was committed is paid once; the next pass goes on with the rest."""
        bills = self.make_bills(self.partners, 100)
        run = self.make_run()
        run.action_confirm()
        with patch("odoo.addons.soko_mpesa.models.soko_mpesa_run.CHUNK", 2):
            with self.other_cursor() as env:
                self.assertTrue(env["soko.mpesa.run"].browse(run.id)._pay_chunk())
            self.env.invalidate_all()
            self.assertEqual((run.state, run.done_count), ("running", 2))
            self.work()
        self.assertEqual((run.state, run.done_count), ("done", 3))
        self.assertEqual(bills.matched_payment_ids.mapped("amount"), [100, 100, 100])
        run.sudo().state = "running"
        self.work()
        self.assertEqual(len(bills.matched_payment_ids), 3)

    def test_database_refuses_a_line_paid_twice(self):
        self.make_bills(self.partners[:2], 100)
        run = self.make_run()
        run.action_confirm()
        self.work()
        payment, other = run.line_ids.payment_ids
        with self.assertRaisesRegex(Exception, "soko_mpesa_run_uniq"), self.cr.savepoint(), \
                self.assertLogs("odoo.sql_db", logging.ERROR):
            self.env.cr.execute(
                "UPDATE account_payment SET soko_mpesa_run_line_id = %s WHERE id = %s",
                [payment.soko_mpesa_run_line_id.id, other.id])

    def test_unexpected_trouble_is_a_line_s_own(self):
        self.make_bills(self.partners, 100)
        run = self.make_run()
        run.action_confirm()
        bad, real = self.partners[2], type(self.env["soko.mpesa.run.line"])._prepare_payments

        def explode(line, *args):
            if line.partner_id == bad:
                raise KeyError("odd")
            return real(line, *args)

        self.patch(type(run.line_ids), "_prepare_payments", explode)
        with self.assertLogs("odoo.addons.soko_mpesa", "WARNING"):
            self.work()
        self.assertEqual((run.done_count, run.failed_count), (2, 1))
        self.assertNotIn("KeyError", self.line(run, bad).reason)

    def test_stop(self):
        self.make_bills(self.partners, 100)
        run = self.make_run()
        run.action_confirm()
        run.action_cancel()
        self.work()
        self.assertEqual((run.state, run.done_count), ("cancelled", 0))
        with self.assertRaises(UserError):
            run.action_cancel()

    # === RIGHTS === #

    def test_rights(self):
        self.make_bills(self.partners, 100)
        run = self.make_run()
        for act in ("action_collect", "action_confirm", "action_cancel"):
            for user in (self.approver, self.accountant):
                with self.subTest(act=act, user=user.login), self.assertRaises(AccessError):
                    getattr(run.with_user(user), act)()
        with self.assertRaisesRegex(AccessError, "buttons"):
            run.write({"state": "running"})
        with self.assertRaisesRegex(AccessError, "buttons"):
            self.env["soko.mpesa.run"].with_user(self.maker).create(
                {"account_id": self.account.id, "state": "running"})
        with self.assertRaises(AccessError):
            run.line_ids.with_user(self.maker).write({"amount": 9})
        run.action_confirm()
        with self.assertRaisesRegex(UserError, "confirmed"):
            run.write({"date_to": "2030-01-01"})
        with self.assertRaises(UserError):
            run.unlink()

    def test_maker_who_is_no_accountant_confirms_nothing(self):
        self.make_bills(self.partners, 100)
        run = self.make_run(self.manager)
        with self.assertRaises(AccessError):
            run.with_user(self.manager).action_confirm()
        self.assertEqual(run.state, "draft")

    def test_other_company(self):
        run = self.make_run()
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.maker.company_ids += other
        self.assertFalse(self.env["soko.mpesa.run"].with_user(self.maker).with_context(
            allowed_company_ids=other.ids).search([("id", "=", run.id)]))

    def test_views_open(self):
        for user in (self.maker, self.approver):
            views = self.env["soko.mpesa.run"].with_user(user).get_views(
                [(False, kind) for kind in ("form", "list", "search")])["views"]
            self.assertEqual(len(views), 3)

    # === SCHEDULE === #

    def test_schedule(self):
        self.make_bills(self.partners, 100)
        self.run_cron("soko.mpesa.run", "_cron_schedule")
        self.assertFalse(self.env["soko.mpesa.run"].search([]), "off unless it is switched on")
        today = self.account.pay_due_next
        self.account.pay_due = "weekly"
        self.run_cron("soko.mpesa.run", "_cron_schedule")
        run = self.env["soko.mpesa.run"].search([])
        self.assertEqual((run.state, run.to_pay_count), ("running", 3))
        self.assertEqual((self.account.pay_due_next - today).days, 7)
        self.run_cron("soko.mpesa.run", "_cron_schedule")
        self.assertEqual(self.env["soko.mpesa.run"].search_count([]), 1)
        self.work()
        self.assertEqual((run.state, run.done_count), ("done", 3))
