from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import MpesaCase

MODELS = ("soko.mpesa.payout", "soko.mpesa.attempt", "soko.mpesa.evidence")
HIDDEN = ("soko.mpesa.secret", "soko.mpesa.callback")


@tagged("post_install", "-at_install", "mpesa")
class TestAccess(MpesaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.auto_approve_limit = 0

    def waiting(self, amount=1500):
        return self.make_payout(amount)[2]

    def check_nothing_writable(self, user):
        payout = self.waiting()
        payout.with_user(self.approver).action_approve()
        self.send()
        records = {
            "soko.mpesa.payout": payout, "soko.mpesa.attempt": payout.attempt_ids,
            "soko.mpesa.evidence": payout.evidence_ids,
        }
        for name in MODELS:
            model = self.env[name].with_user(user)
            record = records[name][:1].with_user(user)
            self.assertTrue(record.read(["id"]), name)
            stored = [field.name for field in model._fields.values() if field.store]
            for field_name in stored:
                with self.assertRaises(AccessError):
                    record.write({field_name: record.sudo()[field_name]})
            with self.assertRaises(AccessError):
                model.create({})
            with self.assertRaises(AccessError):
                record.unlink()

    def test_maker(self):
        self.check_nothing_writable(self.maker)
        payout = self.waiting()
        with self.assertRaises(AccessError):
            payout.with_user(self.maker).action_approve()
        with self.assertRaises(AccessError):
            self.account.with_user(self.maker).write({"auto_approve_limit": 9})
        payout.with_user(self.maker).message_post(body="please")

    def test_approver(self):
        self.check_nothing_writable(self.approver)
        payout = self.waiting().with_user(self.approver)
        payout.action_approve()
        self.assertEqual((payout.state, payout.approver_id), ("approved", self.approver))
        with self.assertRaises(UserError):
            payout.action_approve()
        with self.assertRaises(AccessError):
            self.account.with_user(self.approver).write({"shortcode": "600000"})

    def test_manager_is_no_approver(self):
        self.check_nothing_writable(self.manager)
        with self.assertRaises(AccessError):
            self.waiting().with_user(self.manager).action_approve()
        with self.assertRaises(AccessError):
            self.waiting().with_user(self.env.ref("base.user_admin")).action_approve()

    def test_manager_does_not_lift_the_limit_for_herself(self):
        self.manager.group_ids += self.env.ref("account.group_account_invoice")
        self.account.with_user(self.manager).auto_approve_limit = 250000
        bill = self.make_bill(200000)
        payout = self.pay_bill(bill, self.manager).soko_mpesa_payout_id
        self.assertEqual((payout.state, payout.maker_id), ("submitted", self.manager))
        other = self.pay_bill(self.make_bill(700)).soko_mpesa_payout_id
        self.assertEqual(other.state, "approved", "the policy is for everybody else")

    def test_nobody_approves_own_work(self):
        both = new_test_user(
            self.env, "mpesa_both", company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            groups="soko_mpesa.soko_mpesa_group_maker,soko_mpesa.soko_mpesa_group_approver,"
                   "account.group_account_invoice")
        payout = self.pay_bill(self.make_bill(), both).soko_mpesa_payout_id
        with self.assertRaisesRegex(AccessError, "somebody else"):
            payout.with_user(both).action_approve()
        self.assertEqual(payout.state, "submitted")

    def test_who_entered_the_number_does_not_approve(self):
        payout = self.waiting()
        self.env["res.partner.bank"].with_user(self.approver).browse(self.bank.id).write(
            {"acc_number": "0711000077"})
        with self.assertRaises(AccessError):
            payout.with_user(self.approver).action_approve()

    def test_changed_number_is_not_approved(self):
        payout = self.waiting()
        self.bank.with_user(self.maker).write({"acc_number": "0711000077"})
        with self.assertRaisesRegex(UserError, "changed"):
            payout.with_user(self.approver).action_approve()
        self.assertFalse(payout.attempt_ids)

    def test_strangers(self):
        payout = self.waiting()
        for login, groups in (("mpesa_portal", "base.group_portal"),
                              ("mpesa_staff", "base.group_user")):
            user = new_test_user(self.env, login, groups=groups)
            for name in (*MODELS, *HIDDEN, "soko.mpesa.account", "soko.mpesa.inbox"):
                with self.subTest(login=login, name=name), self.assertRaises(AccessError):
                    self.env[name].with_user(user).search([]).read()
            for act in ("action_approve", "action_cancel", "action_hold", "action_release",
                        "action_query_now", "action_resolve"):
                with self.subTest(login=login, act=act), self.assertRaises(AccessError):
                    getattr(payout.with_user(user), act)()

    def test_hidden_models(self):
        for user in (self.maker, self.approver, self.manager):
            for name in HIDDEN:
                with self.assertRaises(AccessError):
                    self.env[name].with_user(user).search([])

    def test_other_company(self):
        payout = self.waiting()
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "mpesa_elsewhere", company_id=other.id, company_ids=[(6, 0, other.ids)],
            groups="soko_mpesa.soko_mpesa_group_maker,soko_mpesa.soko_mpesa_group_approver")
        for name in (*MODELS, "soko.mpesa.account"):
            model = self.env[name].with_user(stranger).with_context(allowed_company_ids=other.ids)
            self.assertFalse(model.search([]), name)
        with self.assertRaises(AccessError):
            payout.with_user(stranger).with_context(
                allowed_company_ids=other.ids).action_approve()

    def test_hold_and_release(self):
        payout = self.waiting()
        payout.with_user(self.approver).action_approve()
        payout.with_user(self.maker).action_hold()
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("held", []))
        with self.assertRaises(AccessError):
            payout.with_user(self.maker).action_release()
        payout.with_user(self.approver).action_release()
        self.send()
        self.assertEqual(len(self.daraja.payments), 1)

    def test_ask_now(self):
        payout = self.waiting()
        with self.assertRaises(UserError):
            payout.with_user(self.maker).action_query_now()
        payout.with_user(self.approver).action_approve()
        self.send()
        payout.with_user(self.maker).action_query_now()
        self.run_cron("soko.mpesa.attempt", "_cron_query")
        self.assertEqual(len(self.daraja.queries), 1)

    def test_resolve(self):
        payout = self.waiting()
        payout.with_user(self.approver).action_approve()
        self.send()
        payout._raise_exception("something odd")
        with self.assertRaises(AccessError):
            payout.with_user(self.maker).action_resolve()
        payout.with_user(self.approver).action_resolve()
        self.assertEqual(payout.state, "in_flight")
        self.assertFalse(payout.activity_ids)

    def test_bulk_approval(self):
        payouts = self.waiting() | self.waiting(300)
        payouts.with_user(self.approver).action_approve()
        self.assertEqual(set(payouts.mapped("state")), {"approved"})

    def test_views_open_for_every_role(self):
        for user in (self.maker, self.approver, self.manager):
            for name, kinds in (
                ("soko.mpesa.payout", ("form", "list", "kanban", "search")),
                ("soko.mpesa.account", ("form", "list", "search")),
                ("soko.mpesa.evidence", ("form", "list")), ("res.partner.bank", ("form", "list")),
            ):
                views = [(False, kind) for kind in kinds]
                got = self.env[name].with_user(user).get_views(views)["views"]
                self.assertEqual(set(got), set(kinds))
