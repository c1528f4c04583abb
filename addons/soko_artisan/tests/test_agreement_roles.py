from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ArtisanCase

STATES = ("draft", "to_sign", "active", "expired")


@tagged("post_install", "-at_install")
class TestAgreementRoles(ArtisanCase):
    """Each state as each role sees it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = cls._create_user("amina", "base.group_portal")
        cls.bookkeeper = cls._create_user("group", "base.group_portal")
        cls.amina.partner_id = cls.portal.partner_id
        cls.amina.group_id = cls.env["soko.artisan.group"].create(
            {"name": "Test workshop", "partner_id": cls.bookkeeper.partner_id.id}
        )

    def _in_state(self, state, artisan=None):
        agreement = self._create_agreement(artisan or self.amina, active=False, payee="group")
        if state == "to_sign":
            agreement.action_send()
        elif state != "draft":
            agreement.action_activate()
        if state == "expired":
            agreement.action_expire()
        return agreement

    def test_portal_artisan_reads_her_own_and_writes_nothing(self):
        for state in STATES:
            with self.subTest(state), self.env.cr.savepoint() as savepoint:
                agreement = self._in_state(state).with_user(self.portal)
                self.assertEqual(agreement.search([]), agreement)
                self.assertEqual(agreement.state, state)
                for record in (agreement, agreement.line_ids, agreement.version_ids):
                    if record:
                        self.assertTrue(record.read(["company_id"]))
                        with self.assertRaises(AccessError):
                            record.write({"company_id": self.company.id})
                        with self.assertRaises(AccessError):
                            record.unlink()
                savepoint.rollback()

    def test_her_group_is_paid_but_reads_no_agreement(self):
        agreement = self._in_state("active")
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        for model in ("soko.agreement", "soko.agreement.line", "soko.agreement.version"):
            self.assertFalse(self.env[model].with_user(self.bookkeeper).search([]))
        agreement.payee = "artisan"
        line = self._lines_of(self._sell(1))
        self.assertEqual(lot.soko_payee, "group")
        self.assertEqual(line.payee_id, self.bookkeeper.partner_id)

    def test_office_deletes_drafts_only(self):
        for user in (self.officer, self.manager):
            for state in STATES:
                with self.subTest(f"{user.login} {state}"), self.env.cr.savepoint() as savepoint:
                    agreement = self._in_state(state).with_user(user)
                    if state == "draft":
                        agreement.unlink()
                        self.assertFalse(agreement.exists())
                    else:
                        with self.assertRaisesRegex(UserError, "Only a draft"):
                            agreement.unlink()
                    savepoint.rollback()

    def test_other_company_sees_nothing(self):
        agreement = self._in_state("active")
        other = self.env["res.company"].create({"name": "Other"})
        self.officer.company_ids |= other
        for record in (agreement, agreement.line_ids, agreement.version_ids):
            Model = record.with_user(self.officer).with_context(allowed_company_ids=other.ids)
            self.assertFalse(Model.search([("id", "in", record.ids)]))
