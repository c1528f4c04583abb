from odoo import SUPERUSER_ID, api, fields
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestTwoWorkers(TransactionCase):
    """Two real transactions settle the same line at once: one settlement."""

    def setUp(self):
        super().setUp()
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partner = env["res.partner"].create({"name": "Two Workers Mfano"})
            artisan = env["soko.artisan"].create({"partner_id": partner.id})
            product = env["product.product"].create({"name": "Piece of two workers"})
            line = env["soko.settlement.line"].create(
                {
                    "artisan_id": artisan.id,
                    "payee_id": partner.id,
                    "company_id": env.company.id,
                    "currency_id": env.company.currency_id.id,
                    "date": fields.Date.today(),
                    "due_date": "2020-01-01",
                    "product_id": product.id,
                    "quantity": 1,
                    "price_unit": 350,
                    "state": "due",
                }
            )
            self.ids = {
                "soko_settlement_line": line.id,
                "soko_artisan": artisan.id,
                "product_product": product.id,
                "product_template": product.product_tmpl_id.id,
                "res_partner": partner.id,
            }
        self.addCleanup(self._clean_up)

    def _clean_up(self):
        """Nothing of this stays: these rows were really committed, and a ledger has no delete."""
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT settlement_id FROM soko_settlement_line WHERE id = %s",
                [self.ids["soko_settlement_line"]],
            )
            settlement = cr.fetchone()[0]
            cr.execute(
                "DELETE FROM soko_settlement_line WHERE id = %s",
                [self.ids.pop("soko_settlement_line")],
            )
            cr.execute("DELETE FROM soko_settlement WHERE id = %s", [settlement])
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["soko.artisan"].browse(self.ids["soko_artisan"]).unlink()
            env["product.product"].browse(self.ids["product_product"]).unlink()
            env["res.partner"].browse(self.ids["res_partner"]).unlink()

    def test_one_effect(self):
        line_id = self.ids["soko_settlement_line"]
        with self.registry.cursor() as first, self.registry.cursor() as second:
            one = api.Environment(first, SUPERUSER_ID, {})["soko.settlement.line"].browse(line_id)
            two = api.Environment(second, SUPERUSER_ID, {})["soko.settlement.line"].browse(line_id)
            settled = one._settle()
            self.assertEqual((len(settled), settled.amount_total), (1, 350))
            self.assertFalse(two._settle(), "the other worker has it")
            one.env.flush_all()
            first.commit()
            second.rollback()
            two.invalidate_recordset()
            self.assertFalse(two._settle(), "it is settled")
        with self.registry.cursor() as cr:
            line = api.Environment(cr, SUPERUSER_ID, {})["soko.settlement.line"].browse(line_id)
            self.assertEqual((line.state, len(line.settlement_id)), ("settled", 1))
