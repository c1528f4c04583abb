from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import payment_result


@tagged("post_install", "-at_install", "mpesa")
class TestInboxCopies(MpesaCase):
    """Many copies of a letter at one moment; the campaign does it with real processes."""

    def test_copy_that_another_request_has_just_stored(self):
        self.make_payout()
        self.send()
        request = self.daraja.payments[0]
        word, token = request["ResultURL"].split("/")[-2:]
        inbox = self.env["soko.mpesa.inbox"]
        cursor = type(self.env.cr)
        execute = cursor.execute
        refused = []

        def other_was_faster(cr, query, *args, **kwargs):
            if "INSERT INTO soko_mpesa_inbox" in str(query):
                refused.append(query)
                raise SerializationFailure
            return execute(cr, query, *args, **kwargs)

        with patch.object(cursor, "execute", other_was_faster):
            known = inbox._store(word, token, payment_result(request), "127.0.0.1")
        self.assertTrue(known, "the letter is kept, by the other request")
        self.assertEqual(len(refused), 1, "and isn't tried again")
        self.assertTrue(inbox._store(word, token, payment_result(request), "127.0.0.1"))
        self.assertTrue(inbox._store(word, token, payment_result(request), "127.0.0.1"))
        letters = inbox.search([("callback_id.attempt_id.payout_id.account_id", "=",
                                 self.account.id)])
        self.assertEqual(len(letters), 1)
