from importlib import util
from pathlib import Path

from odoo.tests import tagged

from .common import ArtisanCase

FOLDER = Path(__file__).parents[1] / "migrations/19.0.1.1.0"


@tagged("post_install", "-at_install")
class TestAgreementMigration(ArtisanCase):
    def _migrate(self, name, version="19.0.1.0.0"):
        spec = util.spec_from_file_location("soko_migration", FOLDER / name)
        script = util.module_from_spec(spec)
        spec.loader.exec_module(script)
        self.env.flush_all()
        script.migrate(self.env.cr, version)
        self.env.invalidate_all()

    def _as_before(self, lot):
        """Take away what the version before did not have."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE stock_lot SET soko_currency_id = NULL, soko_debt_trigger = NULL, "
            "soko_hold_days = NULL, soko_payee = NULL, soko_discount_bearer = NULL, "
            "soko_agreement_version_id = NULL WHERE id = %s",
            [lot.id],
        )
        self.env.cr.execute("UPDATE soko_agreement SET version_id = NULL")
        self.env.cr.execute("DELETE FROM soko_agreement_version")
        self.env.invalidate_all()

    def test_lots_get_the_terms_they_had(self):
        agreement = self._create_agreement(self.amina, hold_days=14, debt_trigger="shipped")
        draft = self._create_agreement(self.baraka, active=False)
        lot = self._drop_off(self.amina, 2).move_line_ids.lot_id
        self._as_before(lot)
        self._migrate("post-agreement.py")
        self.assertEqual((lot.soko_hold_days, lot.soko_debt_trigger), (14, "shipped"))
        self.assertEqual((lot.soko_payee, lot.soko_discount_bearer), ("artisan", "shared"))
        self.assertEqual(lot.soko_currency_id, self.company.currency_id)
        self.assertEqual((agreement.version_id.number, agreement.state), (1, "active"))
        self.assertFalse(draft.version_ids)
        agreement.hold_days = 30
        self._migrate("post-agreement.py")
        self.assertEqual(lot.soko_hold_days, 14, "run again, it changes nothing")
        self.assertEqual(len(agreement.version_ids), 2)
        self.assertEqual(self._lines_of(self._sell(1)).state, "due")

    def test_companies_go_on_as_they_did(self):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE res_company DROP COLUMN soko_allow_unsigned")
        self.env.cr.execute("ALTER TABLE soko_agreement DROP COLUMN currency_id")
        self._migrate("pre-agreement.py")
        self.env.cr.execute("SELECT bool_and(soko_allow_unsigned) FROM res_company")
        self.assertEqual(self.env.cr.fetchone(), (True,))
        self.env.cr.execute("SELECT count(*) FROM soko_agreement WHERE currency_id IS NULL")
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_new_database_is_left_alone(self):
        agreement = self._create_agreement(self.amina)
        self._migrate("post-agreement.py", version=None)
        self.assertEqual(len(agreement.version_ids), 1)
