from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestReplenishment(ArtisanCase):
    def _requests(self, artisan=None):
        return self.env["soko.replenishment"].search(
            [("artisan_id", "=", (artisan or self.amina).id)], order="id"
        )

    def test_shipping_asks_the_maker(self):
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 5)
        picking = self._sell(2)
        request = self._requests()
        self.assertEqual((request.product_id, request.quantity), (self.cuff, 2))
        self.assertEqual((request.state, request.picking_id), ("requested", picking))
        sms = self._sms_to(self.amina)
        self.assertEqual(sms.number, "+254700000001")
        self.assertIn("2 more", sms.body)
        self.assertIn("/my/artisan", sms.body)
        self.assertEqual(sms.mail_message_id.res_id, request.id)

    def test_minimum_and_target(self):
        self._create_agreement(self.amina, line={"min_stock": 3, "target_stock": 6})
        self._drop_off(self.amina, 5)
        self._sell(2)
        self.assertFalse(self._requests())
        self._sell(1)
        self.assertEqual(self._requests().quantity, 4)
        self._sell(1)
        self.assertEqual(len(self._requests()), 1)

    def test_two_makers_of_one_order(self):
        for artisan in self.amina | self.baraka:
            self._create_agreement(artisan)
            self._drop_off(artisan, 1)
        self._sell(2)
        self.assertEqual(self._requests().quantity, 1)
        self.assertEqual(self._requests(self.baraka).quantity, 1)

    def test_no_agreement_in_force_no_request(self):
        agreement = self._create_agreement(self.amina)
        self._drop_off(self.amina, 1)
        agreement.action_expire()
        picking = self._sell(1)
        self.assertEqual(self._lines_of(picking).amount, 350)
        self.assertFalse(self._requests())

    def test_drop_off_closes_it(self):
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 5)
        self._sell(3)
        request = self._requests()
        request.with_user(self.officer).action_accept()
        self._drop_off(self.amina, 2)
        self.assertEqual((request.state, request.quantity_done), ("accepted", 2))
        self._drop_off(self.amina, 1)
        self.assertEqual((request.state, request.quantity_done), ("done", 3))

    def test_answered_once(self):
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 1)
        self._sell(1)
        request = self._requests().with_user(self.officer)
        request.action_decline()
        self.assertTrue(request.answer_date)
        with self.assertRaisesRegex(UserError, "answered already"):
            request.action_accept()
        self.assertEqual(request.state, "declined")

    def test_answer_needs_rights(self):
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 1)
        self._sell(1)
        stranger = self._create_user("stranger", "base.group_user")
        with self.assertRaises(AccessError):
            self._requests().with_user(stranger).action_accept()
