from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestTwoCompanies(ArtisanCase):
    """One maker works for two companies of one database; each knows and pays its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.company"].create(
            {"name": "Coast House", "currency_id": cls.company.currency_id.id,
             "country_id": cls.company.country_id.id}
        )
        cls.env.user.company_ids |= cls.other
        cls.env["account.chart.template"].try_loading(
            "generic_coa", cls.other, install_demo=False
        )
        cls.other.soko_allow_unsigned = True
        cls.here, cls.there = cls.env, cls.env(
            context=dict(cls.env.context, allowed_company_ids=cls.other.ids)
        )
        cls.amina_there = cls.there["soko.artisan"].create(
            {"partner_id": cls.amina.partner_id.id, "stage": "active"}
        )
        cls.both = cls._create_user("both", "soko_artisan.soko_artisan_group_manager")
        cls.both.company_ids |= cls.other
        cls._create_agreement(cls.amina)
        cls._drop_off(cls.amina, 5)
        with cls._at(cls.there):
            cls._create_agreement(cls.amina_there, line={"price_fixed": 500})
            cls._drop_off(cls.amina_there, 5)

    @classmethod
    def _at(cls, env):
        return _Place(cls, env)

    def _sold_in_both(self):
        """Return the deliveries of two cuffs here and one there, both received."""
        here = self._sell(2)
        with self._at(self.there):
            there = self._sell(1)
        (here | there.with_env(here.env))._soko_mark_received("shopper")
        return here, there

    def _settlements(self):
        return self.env["soko.settlement"].search([("payee_id", "=", self.amina.partner_id.id)])

    def _run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("soko_artisan.ir_cron_settle_due").method_direct_trigger()

    def test_each_company_s_own_price(self):
        here, there = self._sold_in_both()
        self.assertEqual(self._lines_of(here).mapped("amount"), [700])
        line = self._lines_of(there)
        self.assertEqual((line.amount, line.company_id, line.artisan_id),
                         (500, self.other, self.amina_there))

    def test_the_run_settles_each_for_itself(self):
        self._sold_in_both()
        self._run_cron()
        settlements = self._settlements()
        self.assertEqual(
            sorted(settlements.mapped(lambda s: (s.company_id.name, s.amount_total))),
            sorted([(self.company.name, 700), (self.other.name, 500)]),
        )
        for settlement in settlements:
            bill = settlement.bill_id
            self.assertEqual(bill.state, "posted")
            self.assertEqual(bill.company_id, settlement.company_id)
            self.assertEqual(bill.journal_id.company_id, settlement.company_id)
            for account in bill.line_ids.account_id:
                self.assertIn(settlement.company_id, account.company_ids)
            self.assertEqual(settlement.line_ids.company_id, settlement.company_id)

    def test_each_company_s_own_payday(self):
        today = self.company._soko_today()
        self.other.soko_settle_schedule = "weekly"
        self.other.soko_settle_weekday = str((today.weekday() + 1) % 7)
        self._sold_in_both()
        self._run_cron()
        self.assertEqual(self._settlements().company_id, self.company)

    def test_each_company_s_own_day(self):
        """Due where it is tomorrow already, though it isn't where the run is at home."""
        self.company.partner_id.tz = "Pacific/Pago_Pago"
        self.other.partner_id.tz = "Pacific/Kiritimati"
        self.assertGreater(self.other._soko_today(), self.company._soko_today())
        self._sold_in_both()
        self._run_cron()
        self.assertEqual(self._settlements().company_id, self.company | self.other)
        there = self._settlements().filtered(lambda s: s.company_id == self.other)
        self.assertEqual(there.date, self.other._soko_today())
        self.assertEqual(there.bill_id.invoice_date, self.other._soko_today())

    def test_nobody_settles_for_the_other(self):
        _here, there = self._sold_in_both()
        line = self._lines_of(there)
        with self.assertRaises(AccessError):
            line.with_user(self.manager).action_settle_now()
        self.assertEqual(line.state, "due")
        only_here = line.with_user(self.both).with_context(allowed_company_ids=self.company.ids)
        with self.assertRaises(AccessError):
            only_here.action_settle_now()
        both = (self.company | self.other).ids
        line.with_user(self.both).with_context(allowed_company_ids=both).action_settle_now()
        self.assertEqual(line.settlement_id.company_id, self.other)
        self.assertEqual(line.settlement_id.bill_id.company_id, self.other)

    def test_what_each_may_see(self):
        here, there = self._sold_in_both()
        self._run_cron()
        own, hidden = self._lines_of(here), self._lines_of(there)
        records = {
            "soko.settlement.line": (own, hidden),
            "soko.settlement": (own.settlement_id, hidden.settlement_id),
            "soko.agreement": (self.amina.agreement_ids, self.amina_there.agreement_ids),
            "soko.receipt.event": (here.soko_receipt_event_ids, there.soko_receipt_event_ids),
            "soko.artisan": (self.amina, self.amina_there),
        }
        for model, (seen, unseen) in records.items():
            with self.subTest(model):
                Model = self.env[model].with_user(self.manager)
                self.assertTrue(seen and unseen)
                found = Model.search([("id", "in", (seen | unseen.with_env(seen.env)).ids)])
                self.assertEqual(found.ids, seen.ids)
                with self.assertRaises(AccessError):
                    Model.browse(unseen.ids).read(["display_name"])
        for model in ("soko.owed.report", "soko.margin.report"):
            rows = self.env[model].with_user(self.manager).search([])
            self.assertNotIn(self.other, rows.company_id)

    def test_figures_of_one_company(self):
        self._sold_in_both()
        self.assertEqual((self.amina.amount_owed, self.amina_there.amount_owed), (700, 500))
        self.assertEqual((self.amina.qty_sold, self.amina_there.qty_sold), (2, 1))

    def test_no_piece_of_the_other_company_is_sold(self):
        with self._at(self.there):
            picking = self._order(9).picking_ids
            self.assertEqual(sum(picking.move_ids.mapped("quantity")), 5)
        self.assertEqual(self._stock_of(self.amina), 10, "five here and five there")

    def test_advance_of_the_other_company_is_not_paid_back_here(self):
        self.there["soko.advance"].create(
            {"artisan_id": self.amina_there.id, "purpose": "cash", "amount": 400}
        ).state = "paid_out"
        self._sold_in_both()
        self._run_cron()
        here = self._settlements().filtered(lambda s: s.company_id == self.company)
        self.assertEqual((here.amount_deducted, here.amount_payable), (0, 700))


class _Place:
    """Let the factories work in the company of another environment for a while."""

    def __init__(self, case, env):
        self.case, self.env = case, env

    def __enter__(self):
        self.before = self.case.env
        self._move(self.env)

    def __exit__(self, *_error):
        self._move(self.before)

    def _move(self, env):
        self.case.env = env
        for name in ("cuff", "shopper"):
            setattr(self.case, name, getattr(self.case, name).with_env(env))
