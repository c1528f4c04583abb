from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestSettlement(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._create_agreement(cls.amina)

    def test_thread_until_posted_bill(self):
        self._drop_off(self.amina, 5)
        picking = self._sell(2)
        line = self._lines_of(picking)
        self.assertEqual((line.state, line.quantity, line.amount), ("awaiting_receipt", 2, 700))
        self.assertEqual(line.artisan_id, self.amina)
        self.assertTrue(line.sale_line_id)
        settlement = self._settle_received(picking)
        self.assertEqual(settlement.state, "billed")
        bill = settlement.bill_id
        self.assertEqual((bill.move_type, bill.state), ("in_invoice", "posted"))
        self.assertEqual((bill.ref, bill.payment_reference), (settlement.name, settlement.name))
        self.assertEqual(bill.amount_total, 700)
        self.assertEqual(bill.partner_id, self.amina.partner_id)
        accounts = self.cuff.product_tmpl_id.get_product_accounts()
        self.assertEqual(bill.invoice_line_ids.account_id, accounts["expense"])
        self.assertEqual(self.amina.amount_owed, 700)
