
from odoo.tests import TransactionCase, tagged

from .. import const
from ..tools import explain

# daraja.md: every code of the answers to a request, and every result code
ANSWERS = (
    "401.002.01", "404.001.03", "400.003.01", "400.002.02", "400.002.05", "404.001.01",
    "404.002.01", "404.003.01", "404.001.04", "405.001", "500.003.02", "500.003.03",
    "500.002.1001", "500.003.1001", "500.001.1001", "400.008.01", "400.008.02", "401.003.01",
)
RESULTS = (
    "0", "1", "2", "3", "4", "8", "11", "15", "17", "18", "20", "21", "22", "19", "24", "25", "29",
    "26", "2001", "2006", "2028", "2040", "8006", "SFC_IC0003", "TP40153", "100000000",
    "100000001", "100000002", "100000011", "100000004", "100000005", "100000007", "100000009",
    "100000010", "R000001", "R000002",
)


@tagged("post_install", "-at_install", "mpesa")
class TestExplain(TransactionCase):
    def text(self, part):
        return self.env._(part)

    def test_every_code_is_explained(self):
        for code in (*ANSWERS, *RESULTS):
            told = explain.explain(code)
            with self.subTest(code=code):
                self.assertIsNot(told, explain.UNKNOWN)
                self.assertTrue(all(self.text(part) for part in told))
                self.assertNotIn("_", "".join(map(self.text, told)), "no code talk")

    def test_lists_of_codes_are_explained(self):
        for codes in (const.PRE_DEBIT_RESULTS, const.REJECT_CODES, const.THROTTLE_CODES,
                      const.INVALID_TOKEN_CODES):
            self.assertLessEqual(codes, explain.CODES.keys())

    def test_nothing_paid_is_said_only_where_it_is_known(self):
        paid_unknown = ("15", "17", "19", "26", "500.003.1001", "500.002.1001", "100000000", "")
        for code in paid_unknown:
            with self.subTest(code=code):
                self.assertNotIn("Nothing was paid", self.text(explain.explain(code).meaning))
        for code in const.PRE_DEBIT_RESULTS:
            with self.subTest(code=code):
                self.assertIn("Nothing was paid", self.text(explain.explain(code).meaning))

    def test_the_text_decides_where_a_code_means_two_things(self):
        duplicate = explain.explain("500.002.1001", "Duplicate OriginatorConversationID.")
        other = explain.explain("500.002.1001", "System internal error.")
        self.assertIn("seen this reference", self.text(duplicate.happened))
        self.assertIn("fault of its own", self.text(other.happened))

    def test_unknown_and_silence(self):
        self.assertIs(explain.explain("4711"), explain.UNKNOWN)
        self.assertIs(explain.explain(None), explain.SILENCE)
        self.assertIs(explain.explain(" sfc_ic0003 "), explain.CODES["SFC_IC0003"])

    def test_sentence(self):
        text = explain.sentence(self.env, "8006", "The security credential is locked.")
        self.assertIn("locked the API operator", text)
        self.assertTrue(text.endswith("[8006 The security credential is locked.]"), text)
        self.assertNotIn("[", explain.sentence(self.env, "", ""))
