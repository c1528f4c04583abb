import contextlib
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo import fields
from odoo.modules.migration import load_script
from odoo.modules.module import get_module_path
from odoo.tests import tagged

from ..tools import client
from .common import MpesaCase
from .fake_daraja import drop, payment_result, status_result

# The stored fields of version 19.0.1.0.0, of tables that were there already.
FIRST = {
    "soko.mpesa.payout": (
        "name payment_id account_id company_id partner_id partner_bank_id msisdn payee_name "
        "amount content_hash maker_id submitted_at approver_id approved_at approved_hash "
        "hold_reason cancelled_at exception_reason failure_reason paid_at state receipt"),
    "soko.mpesa.attempt": (
        "payout_id company_id account_id number originator_id conversation_id state lease_owner "
        "lease_until request_sha256 send_count sent_at not_before query_count next_query_at "
        "receipt"),
    "soko.mpesa.account": (
        "name active company_id environment shortcode command initiator_name base_url "
        "callback_url journal_id auto_approve_limit payment_limit query_delays "
        "absent_settle_minutes responsible_id certificate stopped_reason last_error"),
    "soko.mpesa.evidence": (
        "attempt_id payout_id company_id callback_id kind channel verdict code description "
        "receipt amount party received_at source_address sha256 raw"),
    "soko.mpesa.callback": "attempt_id company_id kind token_sha256",
    "soko.mpesa.inbox": "callback_id company_id word state raw sha256 source_address error",
    "soko.mpesa.secret": "account_id kind cipher expires_at",
    "res.partner.bank": "soko_mpesa_verified_by soko_mpesa_verified_at soko_mpesa_edited_by",
    "account.payment": "soko_mpesa_payout_id",
}
# Fields of ours on Odoo's models are told by their names.
PREFIX = {"res.partner.bank": "soko_mpesa_", "account.payment": "soko_mpesa_"}
MAGIC = (
    "id", "create_uid", "create_date", "write_uid", "write_date", "message_main_attachment_id")
NEW_TABLES = ("payee_change", "heartbeat", "balance", "lost_claim")


@tagged("post_install", "-at_install", "mpesa")
class TestUpdateInFlight(MpesaCase):
    """F52: the first version is updated while payouts are in every state."""

    def setUp(self):
        super().setUp()
        self.account.sudo().tariff_id = False  # the first version booked no fees
        self.payouts, self.requests = {}, {}

    # === THE FIRST VERSION === #

    def make(self, name, amount, *script):
        """Make a payout and send it. :return: the request that Daraja got"""
        self.payouts[name] = self.make_payout(amount)[2]
        self.daraja.script = list(script)
        self.send()
        self.requests[name] = self.daraja.payments[-1]
        return self.daraja.payments[-1]

    def refuse(self, name, amount):
        """The same, and M-Pesa says twice that it isn't paid."""
        request = self.make(name, amount)
        self.post(request["ResultURL"], payment_result(request, code=4))
        self.ask()
        self.post(self.daraja.queries[-1]["ResultURL"], status_result(request, "Expired"))

    def die(self, name, amount):
        """The same, and the sender is killed before it hears the answer."""
        real = client.send

        def killed(request):
            real(request)
            raise SystemExit
        # not by assertRaises: it takes back what was written before
        with patch.object(client, "send", killed), contextlib.suppress(SystemExit):
            self.make(name, amount)
            self.fail("the sender lives")
        self.requests[name] = self.daraja.payments[-1]

    def make_all(self):
        """Have a payout in each state that the first version knew."""
        request = self.make("paid", 100)
        self.post(request["ResultURL"], payment_result(request, "SG00000100"))
        self.refuse("failed", 110)
        self.refuse("late", 120)
        request = self.requests["late"]
        self.post(request["ResultURL"], payment_result(request, "SG00000120"))
        self.account.action_resume()
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.make("accepted", 130)
        self.make("unknown", 140, drop())
        self.make("letter", 150)
        self.store(self.requests["letter"], payment_result(self.requests["letter"], "SG00000150"))
        self.die("sending", 160)
        for name, amount in (("submitted", 5000), ("approved", 170), ("held", 180),
                             ("cancelled", 190)):
            self.payouts[name] = self.make_payout(amount)[2]
        self.payouts["held"].with_user(self.maker).action_hold()
        self.payouts["cancelled"].with_user(self.maker).action_cancel()

    def store(self, request, raw, address="ResultURL"):
        word, token = request[address].split("/")[-2:]
        self.env["soko.mpesa.inbox"]._store(word, token, raw, "127.0.0.1")

    def go_back(self):
        """Put the rows into the shape in which the update finds them once it has its columns.

        A new column is empty, or has its default where it has one: that is what Odoo does.
        """
        self.env.flush_all()
        self.cr.execute("SET LOCAL session_replication_role = replica")
        for table in NEW_TABLES:
            self.cr.execute(f"DELETE FROM soko_mpesa_{table}")
        for name, known in FIRST.items():
            model = self.env[name]
            new = [field for field in self.new_fields(model) if field.name not in known.split()]
            self.assertTrue(new or name in ("soko.mpesa.inbox",), name)
            for field in new:
                self.cr.execute(f'UPDATE "{model._table}" SET "{field.name}" = NULL')
            for field in new:
                if field.default:
                    model._init_column(field.name)
        self.cr.execute("SET LOCAL session_replication_role = origin")
        self.forget_claims()
        self.env.invalidate_all()

    def new_fields(self, model):
        """:return: stored fields of ours on this model that aren't computed from others"""
        prefix = PREFIX.get(model._name, "")
        return [field for name, field in model._fields.items()
                if field.store and field.column_type and not field.compute
                and not field.related and name.startswith(prefix)
                and name not in MAGIC and not field.required]

    # === THE UPDATE === #

    def update(self):
        """Run each script of each version since, in the order in which Odoo does."""
        folder = Path(get_module_path("soko_mpesa")) / "migrations"
        scripts = [script for stage in ("pre", "post", "end")
                   for script in sorted(folder.glob(f"19.*/{stage}-*.py"))]
        self.assertEqual(len(scripts), len(list(folder.glob("*/*.py"))))
        for script in scripts:
            load_script(str(script), f"soko_mpesa_{script.stem}").migrate(
                self.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def states(self):
        return {name: (payout.state, payout.attempt_ids.mapped("state"))
                for name, payout in self.payouts.items()}

    def answer_queries(self):
        """Ask, and have M-Pesa say of each payment that it is completed."""
        asked = len(self.daraja.queries)
        self.ask()
        by_id = {request["OriginatorConversationID"]: request
                 for request in self.requests.values()}
        for query in self.daraja.queries[asked:]:
            [request] = [by_id[value] for value in query.values()
                         if isinstance(value, str) and value in by_id]
            self.store(query, status_result(request, receipt=f"SG00000{request['Amount']}"))
        self.apply()

    def test_each_state_is_followed_to_its_end(self):
        self.make_all()
        before, sent = self.states(), [
            request["OriginatorConversationID"] for request in self.daraja.payments]
        self.assertEqual({name: state for name, (state, _attempts) in before.items()}, {
            "paid": "paid", "failed": "failed", "late": "exception", "accepted": "in_flight",
            "unknown": "in_flight", "letter": "in_flight", "sending": "in_flight",
            "submitted": "submitted", "approved": "approved", "held": "held",
            "cancelled": "cancelled"})
        self.assertEqual([before[name][1] for name in ("accepted", "unknown", "sending")],
                         [["accepted"], ["unknown"], ["sending"]])
        self.go_back()
        self.update()
        self.assertEqual(self.states(), before, "an update decides nothing")
        self.assertNoViolation()
        self.assertTrue(self.payouts["late"].paid_late)
        self.assertFalse(self.account.trial_since)
        self.follow(sent)

    def follow(self, sent):
        """What was in flight is heard and asked for; only what never left is sent."""
        self.apply()
        self.assertEqual(self.payouts["letter"].state, "paid", "its letter had waited")
        self.payouts["sending"].attempt_ids.lease_until = (
            fields.Datetime.now() - timedelta(hours=1))
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")
        self.assertEqual(self.payouts["sending"].attempt_ids.state, "unknown")
        self.payouts["submitted"].with_user(self.approver).action_approve()
        self.payouts["held"].with_user(self.approver).action_release()
        self.send()
        request = self.requests["accepted"]
        self.post(request["ResultURL"], payment_result(request, "SG00000130"))
        for request in self.daraja.payments[len(sent):]:
            self.post(request["ResultURL"], payment_result(
                request, f"SH0000{int(request['Amount']):04}"))
        self.answer_queries()
        self.payouts["late"].with_user(self.approver).action_resolve()
        self.assertEqual({name: state for name, (state, _attempts) in self.states().items()}, {
            **dict.fromkeys(self.payouts, "paid"), "failed": "failed", "cancelled": "cancelled"})
        ids = [request["OriginatorConversationID"] for request in self.daraja.payments]
        self.assertEqual(ids[:len(sent)], sent)
        self.assertEqual(len(ids), len(set(ids)), "nothing was sent again")
        self.assertEqual(sorted(request["Amount"] for request in
                                self.daraja.payments[len(sent):]), ["170", "180", "5000"])
        self.assertNoViolation()
