from odoo import fields
from odoo.tests import tagged

from .test_run import RunCase


@tagged("post_install", "-at_install", "mpesa")
class TestBatch(RunCase):
    """The number of SQL statements for one payout doesn't grow with the batch."""

    def count(self, work):
        """:return: the statements that `work` needs"""
        self.env.flush_all()
        self.env.invalidate_all()
        # one long transaction: without fresh statistics Odoo's own joins take seconds
        self.cr.execute("ANALYZE account_move, account_move_line, account_payment, "
                        "account_partial_reconcile")
        before = self.cr.sql_log_count
        work()
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def pay_directly(self, partners, method_line):
        """Post payments as a batch, as plain Odoo does it. :return: the statements"""
        def work():
            payments = self.env["account.payment"].with_context(tracking_disable=True).create([{
                "payment_type": "outbound", "partner_type": "supplier", "partner_id": partner.id,
                "amount": 100, "journal_id": method_line.journal_id.id,
                "payment_method_line_id": method_line.id, "date": fields.Date.today(),
            } for partner in partners])
            payments.action_post()
        return self.count(work)

    def test_payouts_beside_plain_payments(self):
        """At most seven statements a payee on top of what plain Odoo needs (goal G8)."""
        plain = self.env["account.payment.method.line"].create({
            "name": "By hand", "journal_id": self.account.journal_id.id,
            "payment_method_id": self.env.ref("account.account_payment_method_manual_out").id,
            "payment_account_id": self.method_line.payment_account_id.id,
        })
        few, many = self.make_payees(10, 1000), self.make_payees(50, 2000)
        more = {}
        for name, partners in (("warm", few[:2]), ("few", few), ("many", many)):
            ours = self.pay_directly(partners, self.method_line)
            theirs = self.pay_directly(partners, plain)
            more[name] = ours - theirs
        self.assertLessEqual(more["many"] / 50, 7)
        self.assertLessEqual(more["many"] - more["few"], 40 * 2, "two a payee at the most")

    def test_making_payouts_needs_the_same_for_many(self):
        few, many = self.make_payees(10, 1000), self.make_payees(50, 2000)
        needed = {}
        for name, partners in (("few", few), ("many", many)):
            payments = self.env["account.payment"].with_user(self.maker).with_context(
                tracking_disable=True).create([{
                    "payment_type": "outbound", "partner_type": "supplier",
                    "partner_id": partner.id, "amount": 100,
                    "journal_id": self.account.journal_id.id,
                    "payment_method_line_id": self.method_line.id,
                } for partner in partners])
            payouts = self.env["soko.mpesa.payout"]
            needed[name] = self.count(lambda made=payments, payouts=payouts: payouts.with_user(
                self.maker)._make_for(made))
        self.assertLessEqual(needed["many"], needed["few"] + 5)

    def test_run_is_proportional(self):
        needed = {}
        for name, count, first in (("warm", 2, 500), ("few", 10, 1000), ("many", 50, 2000)):
            self.make_bills(self.make_payees(count, first), 100)
            run = self.make_run()
            run.action_confirm()
            lines = run.line_ids.with_user(self.maker).with_context(tracking_disable=True)
            needed[name] = self.count(lines._pay)
            self.assertEqual(run.done_count, count)
        self.assertLessEqual(needed["many"] / needed["few"], 5.0)
