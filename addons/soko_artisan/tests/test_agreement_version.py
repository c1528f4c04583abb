import base64

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestAgreementVersion(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._create_agreement(cls.amina)
        cls.line = cls.agreement.line_ids

    def test_first_version_on_activation(self):
        version = self.agreement.version_ids
        self.assertEqual((version.number, version.user_id), (1, self.env.user))
        self.assertEqual(version.valid_from, self.env.company._soko_today())
        self.assertEqual(version.terms["lines"][0]["price"], 350)
        self.assertTrue(version._check_unchanged())
        self.assertIn("350", version.summary)

    def test_change_of_price_leaves_a_version(self):
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        self.agreement.with_user(self.officer).write(
            {
                "change_reason": "Brass is dearer",
                "line_ids": [Command.update(self.line.id, {"price_fixed": 400})],
                "hold_days": 4,
            }
        )
        first, second = self.agreement.version_ids.sorted("number")
        self.assertEqual(second, self.agreement.version_id)
        self.assertEqual((second.number, second.user_id), (2, self.officer))
        self.assertEqual(second.reason, "Brass is dearer")
        for word in ("350", "400", "Hold"):
            self.assertIn(word, second.changes)
        self.assertEqual(first.terms["lines"][0]["price"], 350)
        self.assertFalse(self.agreement.change_reason)
        self.assertEqual(lot.soko_agreement_version_id, first)
        self.assertEqual((lot.soko_unit_price, lot.soko_hold_days), (350, 0))
        newer = self._drop_off(self.amina, 1).move_line_ids.lot_id
        self.assertEqual(newer.soko_agreement_version_id, second)
        self.assertEqual((newer.soko_unit_price, newer.soko_hold_days), (400, 4))

    def test_every_way_to_the_price_leaves_one(self):
        self.line.price_fixed = 360
        ring = self._create_product("Ring, raw brass")
        added = self.line.create(
            {"agreement_id": self.agreement.id, "product_id": ring.id, "price_fixed": 90}
        )
        self.line.write({"price_type": "split", "split_percent": 50, "tier_basis": "month",
                         "tier_ids": [Command.create({"threshold": 20, "percent": 55})]})
        self.line.tier_ids.percent = 60
        added.unlink()
        self.assertGreaterEqual(len(self.agreement.version_ids), 6)
        last = self.agreement.version_id.terms
        self.assertEqual(last["lines"][0]["tiers"], [[20, 60]])
        self.assertEqual(len(last["lines"]), 1)

    def test_context_does_not_hide_a_change(self):
        self.line.with_context(soko_versioning=True, tracking_disable=True).price_fixed = 500
        self.assertEqual(self.agreement.version_id.number, 2)

    def test_what_is_no_term_leaves_none(self):
        self.line.min_stock = 3
        self.line.target_stock = 5
        self.agreement.user_id = self.officer
        self.assertEqual(len(self.agreement.version_ids), 1)

    def test_draft_leaves_none(self):
        draft = self._create_agreement(self.baraka, active=False)
        draft.line_ids.price_fixed = 10
        self.assertFalse(draft.version_ids)

    def test_versions_are_never_changed(self):
        version = self.agreement.version_id
        for user in (self.officer, self.manager):
            with self.assertRaises(AccessError):
                version.with_user(user).write({"signed_by": "Me"})
            with self.assertRaises(AccessError):
                version.with_user(user).unlink()
            with self.assertRaises(AccessError):
                version.with_user(user).create({"agreement_id": self.agreement.id})
        with self.assertRaisesRegex(UserError, "never deleted"):
            version.unlink()
        with self.assertRaisesRegex(UserError, "changing the terms"):
            self.agreement.with_user(self.manager).version_id = False

    def test_artisan_and_currency_stay(self):
        with self.assertRaisesRegex(UserError, "new agreement"):
            self.agreement.artisan_id = self.baraka
        with self.assertRaisesRegex(UserError, "new agreement"):
            self.agreement.currency_id = self.env.ref("base.EUR")

    def test_line_stays_on_its_agreement(self):
        other = self._create_agreement(self.baraka)
        with self.assertRaises(ValidationError):
            self.line.agreement_id = other

    def test_later_change_touches_no_piece_in_the_house(self):
        self.line.write({"price_type": "split", "split_percent": 50})
        self._drop_off(self.amina, 1)
        group = self.env["soko.artisan.group"].create(
            {"name": "Test workshop", "partner_id": self.shopper.id}
        )
        self.amina.group_id = group
        self.agreement.write(
            {"hold_days": 30, "payee": "group", "debt_trigger": "shipped",
             "discount_bearer": "house"}
        )
        line = self._lines_of(self._sell(1, price=1000, discount=10))
        self.assertEqual((line.state, line.payee_id), ("awaiting_receipt", self.amina.partner_id))
        self.assertEqual(line.price_unit, 450)
        line._make_due()
        self.assertEqual(line.due_date, self.env.company._soko_today())

    # === SIGNATURE === #

    def _unsigned(self):
        self.company.soko_allow_unsigned = False
        return self._create_agreement(self.baraka, active=False)

    def test_unsigned_is_not_activated(self):
        agreement = self._unsigned().with_user(self.officer)
        with self.assertRaisesRegex(ValidationError, "has not signed"):
            agreement.action_activate()
        with self.assertRaisesRegex(ValidationError, "has not signed"):
            agreement.write({"state": "active"})
        with self.assertRaisesRegex(ValidationError, "has not signed"):
            agreement.create({"artisan_id": self.baraka.id, "state": "active"})
        self.company.soko_allow_unsigned = True
        agreement.action_activate()
        self.assertEqual(agreement.state, "active")

    def test_paper(self):
        agreement = self._unsigned().with_user(self.officer)
        action = agreement.action_sign_on_paper()
        self.assertEqual(agreement.state, "to_sign")
        wizard = self.env[action["res_model"]].with_user(self.officer).create(
            {
                "version_id": action["context"]["default_version_id"],
                "signed_by": "Baraka Mfano",
                "scan": base64.b64encode(b"paper"),
                "scan_name": "signed.jpg",
            }
        )
        wizard.action_confirm()
        version = agreement.version_id
        self.assertEqual((agreement.state, version.signed_via), ("active", "paper"))
        self.assertEqual(version.signed_user_id, self.officer)
        self.assertEqual(base64.b64decode(version.scan), b"paper")
        with self.assertRaisesRegex(UserError, "signed already"):
            wizard.action_confirm()

    def test_change_asks_for_a_new_signature(self):
        agreement = self._unsigned()
        agreement.action_send()
        self.assertIn(f"/my/artisan/agreement/{agreement.id}", self._sms_to(self.baraka).body)
        agreement.version_id._sign("Baraka Mfano", "portal")
        self.assertEqual(agreement.state, "active")
        self._drop_off(self.baraka, 1)
        agreement.line_ids.price_fixed = 300
        self.assertEqual((agreement.state, agreement.version_id.number), ("to_sign", 2))
        with self.assertRaisesRegex(UserError, "no agreement in force"):
            self._drop_off(self.baraka, 1)
        self.assertEqual(len(self._sms_to(self.baraka)), 2)
        old = agreement.version_ids.filtered(lambda v: v.number == 1)
        with self.assertRaisesRegex(UserError, "signed already"):
            old._sign("Baraka Mfano", "portal")
        agreement.version_id._sign("Baraka Mfano", "portal")
        self._drop_off(self.baraka, 1)

    def test_old_or_tampered_terms_are_not_signed(self):
        agreement = self._unsigned()
        agreement.action_send()
        old = agreement.version_id
        agreement.line_ids.price_fixed = 300
        with self.assertRaisesRegex(UserError, "newer terms"):
            old._sign("Baraka Mfano", "portal")
        with self.assertRaisesRegex(UserError, "type the name"):
            agreement.version_id._sign("  ", "portal")
        agreement.version_id.terms = agreement.version_id.terms | {"hold_days": 90}
        with self.assertRaisesRegex(UserError, "fingerprint"):
            agreement.version_id._sign("Baraka Mfano", "portal")

    def test_report(self):
        self.env["res.lang"]._activate_lang("sw")
        html = self.env["ir.actions.report"]._render_qweb_html(
            "soko_artisan.report_agreement", self.agreement.ids
        )[0].decode()
        for part in ("Amina Mfano", "Cuff, raw brass", self.agreement.version_id.content_hash):
            self.assertIn(part, html)
