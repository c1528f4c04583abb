from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ArtisanCase

PORTAL_MODELS = (
    "soko.artisan",
    "soko.agreement",
    "soko.agreement.line",
    "soko.replenishment",
    "soko.settlement",
    "soko.settlement.line",
)
HIDDEN_MODELS = ("stock.lot", "stock.quant", "soko.artisan.group", "soko.drop.off")


@tagged("post_install", "-at_install")
class TestAccess(ArtisanCase):
    """One test for each role; both artisans have one record of everything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for artisan in cls.amina | cls.baraka:
            cls._create_agreement(artisan)
            cls._drop_off(artisan, 1)
        cls.picking = cls._sell(2)
        cls._settle_received(cls.picking)
        cls.portal = cls._create_user("amina", "base.group_portal")
        cls.amina.partner_id = cls.portal.partner_id
        cls.env["soko.settlement.line"].search([("artisan_id", "=", cls.amina.id)]).payee_id = (
            cls.portal.partner_id
        )
        cls.env["soko.settlement"].search(
            [("line_ids.artisan_id", "=", cls.amina.id)]
        ).payee_id = cls.portal.partner_id

    def _of(self, model, artisan):
        paths = {"soko.artisan": "id", "soko.settlement": "line_ids.artisan_id"}
        return self.env[model].search([(paths.get(model, "artisan_id"), "=", artisan.id)])

    def test_portal_artisan(self):
        for model in PORTAL_MODELS:
            with self.subTest(model):
                Model = self.env[model].with_user(self.portal)
                own, other = self._of(model, self.amina), self._of(model, self.baraka)
                self.assertTrue(own and other)
                self.assertEqual(Model.search([]), own)
                self.assertTrue(Model.browse(own.ids).read(["display_name"]))
                with self.assertRaises(AccessError):
                    Model.browse(other.ids).read(["display_name"])
                with self.assertRaises(AccessError):
                    Model.browse(own.ids).write({"company_id": self.company.id})
                with self.assertRaises(AccessError):
                    Model.create({"name": "Nobody"} if "name" in Model._fields else {})
                with self.assertRaises(AccessError):
                    Model.browse(own.ids).unlink()
        for model in HIDDEN_MODELS:
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(self.portal).search([])
        transfers = self.env["stock.picking"].with_user(self.portal).search([])
        self.assertNotIn(self.picking, transfers, "the shopper's delivery")

    def test_portal_sees_no_sale(self):
        line = self._of("soko.settlement.line", self.amina).with_user(self.portal)
        names = line.fields_get()
        self.assertIn("amount", names)
        for name in ("sale_line_id", "picking_id", "move_line_id", "blocking_reasons"):
            self.assertNotIn(name, names)
        with self.assertRaises(AccessError):
            line.read(["sale_line_id"])

    def test_portal_can_not_press_office_buttons(self):
        request = self._of("soko.replenishment", self.amina).with_user(self.portal)
        with self.assertRaises(AccessError):
            request.action_accept()
        with self.assertRaises(AccessError):
            self._of("soko.settlement", self.amina).with_user(self.portal).action_process()
        with self.assertRaises(AccessError):
            self._of("soko.settlement.line", self.amina).with_user(self.portal).action_settle_now()

    def test_officer(self):
        artisan = self.env["soko.artisan"].with_user(self.officer).create({"name": "Gift Mfano"})
        self.assertTrue(artisan.partner_id)
        artisan.stage = "trained"
        agreement = self._create_agreement(artisan, active=False).with_user(self.officer)
        agreement.action_activate()
        self.assertEqual(self._drop_off(artisan, 1, user=self.officer).state, "done")
        lines = self._of("soko.settlement.line", self.amina).with_user(self.officer)
        settlements = self._of("soko.settlement", self.amina).with_user(self.officer)
        self.assertTrue(lines.read(["amount", "sale_line_id"]))
        self.assertTrue(settlements.read(["state", "payment_reference", "payment_ids"]))
        for record in (lines, settlements):
            with self.assertRaises(AccessError):
                record.write({"company_id": self.company.id})
        with self.assertRaises(AccessError):
            artisan.unlink()

    def test_manager(self):
        settlement = self._of("soko.settlement", self.amina).with_user(self.manager)
        self.assertEqual(settlement.action_view_bill()["res_id"], settlement.bill_id.id)
        self.assertEqual(settlement.bill_id.state, "posted")
        with self.assertRaises(AccessError):
            self._of("soko.settlement.line", self.amina).with_user(self.manager).write(
                {"state": "due"}
            )
        self.env["soko.artisan"].with_user(self.manager).create({"name": "Hawa Mfano"}).unlink()

    def test_employee_without_role(self):
        stranger = self._create_user("stranger", "base.group_user")
        for model in PORTAL_MODELS:
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(stranger).search([])
        with self.assertRaises(AccessError):
            self.picking.with_user(stranger).action_soko_mark_received()

    def test_stock_user_ships_without_artisan_rights(self):
        clerk = self._create_user("clerk", "stock.group_stock_user")
        self._drop_off(self.baraka, 1)
        picking = self._order(1).picking_ids
        picking.with_user(clerk).move_ids.picked = True
        picking.with_user(clerk)._action_done()
        self.assertEqual(self._lines_of(picking).artisan_id, self.baraka)
        with self.assertRaises(AccessError):
            self._lines_of(picking).with_user(clerk).read(["amount"])

    def test_stock_user_invents_no_terms(self):
        """A price on a lot becomes money, so that who keeps the stock may not write one."""
        clerk = self._create_user("clerk", "stock.group_stock_user")
        Lot = self.env["stock.lot"].with_user(clerk)
        dear = {"soko_price_type": "fixed", "soko_unit_price": 99999}
        with self.assertRaises(AccessError):
            Lot.create({"name": "X1", "product_id": self.cuff.id, **dear})
        with self.assertRaises(AccessError):
            Lot.create(
                {"name": "X2", "product_id": self.cuff.id, "soko_artisan_id": self.baraka.id}
            )
        plain = Lot.create({"name": "X3", "product_id": self.cuff.id})
        with self.assertRaises(AccessError):
            plain.write(dear)
        agreed = self._drop_off(self.baraka, 1, user=self.officer).move_line_ids.lot_id
        agreed.soko_agreement_line_id.price_fixed = 900
        same = agreed.sudo()._soko_prepare_snapshot_vals()
        plated = Lot.create({"name": "X4", "product_id": self.cuff.id, **same})
        self.assertEqual(plated.sudo().soko_unit_price, 350, "at the price of the raw piece")
        with self.assertRaises(AccessError):
            Lot.create({"name": "X5", "product_id": self.cuff.id, **same, "soko_unit_price": 901})

    def test_received_is_no_mere_date(self):
        """A date without what follows from it would leave the artisan unpaid for ever."""
        clerk = self._create_user("clerk", "stock.group_stock_user")
        self._drop_off(self.baraka, 1)
        picking = self._sell(1)
        with self.assertRaises(AccessError):
            picking.with_user(clerk).write({"soko_received_date": "2026-01-01 10:00:00"})
        picking._soko_mark_received("shopper")
        self.assertEqual(self._lines_of(picking).state, "due")

    def test_contact_with_pieces_is_not_exchanged(self):
        with self.assertRaisesRegex(UserError, "can't be exchanged"):
            self.baraka.with_user(self.officer).partner_id = self.shopper
        fresh = self._create_artisan("Fatma Mfano")
        fresh.with_user(self.officer).partner_id = self.shopper
        self.assertEqual(fresh.partner_id, self.shopper)

    def test_other_company_is_hidden(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.officer.company_ids |= other
        artisan = self._create_artisan("Imani Mfano", company_id=other.id)
        Artisan = (
            self.env["soko.artisan"]
            .with_user(self.officer)
            .with_context(allowed_company_ids=self.company.ids)
        )
        self.assertFalse(Artisan.search([("id", "=", artisan.id)]))
        allowed = Artisan.with_context(allowed_company_ids=other.ids)
        self.assertEqual(allowed.search([("id", "=", artisan.id)]), artisan)
