"""What Daraja's codes mean, in words for the back office: what happened, what it means, what to do.

The codes are those of the public pages for payments, status queries and balance queries; each is
kept as a text, because Daraja writes them as numbers, digits and letters. Nothing here decides
anything: what a code proves is in `classify` and `proof`.
"""

from typing import NamedTuple

from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)


class Explanation(NamedTuple):
    """`happened`, `meaning` and `advice` are lazy translations: give them to ``env._``."""

    happened: object
    meaning: object
    advice: object


# Sentences that several codes share.
_NOTHING_PAID = _lt("Nothing was paid.")
_NOBODY_KNOWS = _lt("It isn't known yet whether the payment was made.")
_ALL_PAYMENTS = _lt("Nothing was paid, and every other payment would meet the same.")
_WAIT = _lt("Wait: M-Pesa is asked what became of it. Don't pay it in another way before that.")
_AGAIN_BY_ITSELF = _lt("Nothing: it goes again by itself, under the same reference.")
_CALL_SAFARICOM = _lt(
    "If it goes on, write to Safaricom's API support with the shortcode, the time and this code.")
_LOOK_AT_PAYOUT = _lt(
    "Look at the payout: amount, number and the account's set-up. Mend it, then release it.")
_TOKEN = Explanation(
    _lt("M-Pesa didn't accept Odoo's access pass: it was too old or replaced."),
    _lt("The request wasn't taken."),
    _lt("Nothing: a new pass is fetched and the same request goes again. If it goes on, check the "
        "consumer key and secret, and that the app in the Daraja portal has this product."),
)
_PATH = Explanation(
    _lt("The address that was called doesn't exist at M-Pesa."),
    _lt("The request wasn't taken."),
    _lt("Leave the address of Daraja empty in the account, unless Safaricom gave you another one."),
)
_BAD_REQUEST = Explanation(
    _lt("M-Pesa refused a detail of the request."),
    _lt("The request wasn't taken, so nothing was paid."),
    _LOOK_AT_PAYOUT,
)
_BUSY = Explanation(
    _lt("M-Pesa takes no more requests at the moment: too many came at once."),
    _lt("The request wasn't taken."),
    _AGAIN_BY_ITSELF,
)
_BUSY_INSIDE = Explanation(
    _lt("M-Pesa was overloaded."), _NOBODY_KNOWS, _WAIT,
)
_INTERNAL = Explanation(
    _lt("M-Pesa reported a fault of its own."), _NOBODY_KNOWS, _WAIT,
)
_WRONG_PASSWORD = Explanation(
    _lt("M-Pesa didn't accept the operator's user name or password."), _ALL_PAYMENTS,
    _lt("Check, in this order: the operator's user name, its password, the certificate (it must be "
        "the one of this environment). Store them again, press Check set-up, then resume. Don't "
        "try often: after some wrong tries Safaricom locks the operator."),
)
_NO_ROLE = Explanation(
    _lt("The API operator isn't allowed to do this."), _ALL_PAYMENTS,
    _lt("In the M-Pesa organisation portal the business administrator gives the operator the "
        "roles \"ORG B2C API initiator\", \"Transaction Status query ORG API\" and \"Balance Query "
        "ORG API\". Then press Check set-up and resume."),
)
_ACCOUNT_STATE = Explanation(
    _lt("The paying account isn't active at M-Pesa."), _ALL_PAYMENTS,
    _lt("Ask Safaricom's business care why the shortcode is not active. Then resume."),
)
_OUR_DATA = Explanation(
    _lt("M-Pesa missed or didn't understand a detail of the payment."), _NOTHING_PAID,
    _LOOK_AT_PAYOUT,
)
_REVERSAL = Explanation(
    _lt("M-Pesa can't take that payment back: it was taken back before, or isn't known."),
    _lt("Nothing changed."),
    _lt("Look for the payment in the M-Pesa portal."),
)

CODES = {
    # answers to the request itself (Daraja's error codes)
    "401.002.01": _TOKEN, "404.001.03": _TOKEN, "400.003.01": _TOKEN, "401.003.01": _TOKEN,
    "400.008.01": Explanation(
        _lt("M-Pesa gave no access pass: the way of asking was wrong."),
        _lt("Nothing can be sent."), _lt("Store the consumer key and secret again."),
    ),
    "400.008.02": Explanation(
        _lt("M-Pesa gave no access pass: the way of asking was wrong."),
        _lt("Nothing can be sent."), _lt("Store the consumer key and secret again."),
    ),
    "400.002.02": _BAD_REQUEST, "400.002.05": _BAD_REQUEST, "400.003.02": _BAD_REQUEST,
    "404.001.01": _PATH, "404.002.01": _PATH, "404.003.01": _PATH, "404.001.04": _PATH,
    "405.001": _PATH,
    "500.003.02": _BUSY, "500.003.03": _BUSY, "FAULT": _BUSY,
    "500.003.1001": _INTERNAL, "500.001.1001": _INTERNAL, "500.002.1001": _INTERNAL,
    "00.002.1001": _INTERNAL,
    # results (the same codes come for payments, status queries and balance queries)
    "0": Explanation(_lt("Done."), _lt("M-Pesa did what it was asked."), _lt("Nothing.")),
    "1": Explanation(
        _lt("There isn't enough money in the utility account."), _ALL_PAYMENTS,
        _lt("Send money to the shortcode. If the M-Pesa portal shows it in the working account, "
            "move it to the utility account there. Then resume."),
    ),
    "2": Explanation(
        _lt("The amount is below M-Pesa's minimum of 10 KES."), _NOTHING_PAID,
        _lt("Wait until more is due to this payee."),
    ),
    "3": Explanation(
        _lt("The amount is above M-Pesa's maximum of 250,000 KES."), _NOTHING_PAID,
        _lt("Pay it in parts."),
    ),
    "4": Explanation(
        _lt("The payee may receive no more today: M-Pesa allows 500,000 KES a day."),
        _NOTHING_PAID, _lt("Pay the rest tomorrow."),
    ),
    "8": Explanation(
        _lt("The payee's M-Pesa account would hold more than it may: 500,000 KES."),
        _NOTHING_PAID, _lt("Ask the payee to use some of it, then pay again, or pay by bank."),
    ),
    "11": _ACCOUNT_STATE, "2006": _ACCOUNT_STATE,
    "15": Explanation(
        _lt("M-Pesa has seen this reference before."),
        _lt("An earlier request with it arrived, so the payment may have been made."), _WAIT,
    ),
    "17": _INTERNAL, "19": _INTERNAL, "26": _BUSY_INSIDE,
    "18": _WRONG_PASSWORD, "20": _WRONG_PASSWORD, "2001": _WRONG_PASSWORD,
    "21": _NO_ROLE, "TP40153": _NO_ROLE,
    "22": Explanation(
        _lt("The API operator isn't active."), _ALL_PAYMENTS,
        _lt("In the M-Pesa organisation portal the business administrator activates the operator; "
            "a new one becomes active when its password is set. Then press Check set-up."),
    ),
    "24": _OUR_DATA, "25": _OUR_DATA, "29": _OUR_DATA,
    "2028": Explanation(
        _lt("The shortcode may not pay out to customers."), _ALL_PAYMENTS,
        _lt("Ask Safaricom to switch B2C (bulk disbursement) on for this shortcode."),
    ),
    "2040": Explanation(
        _lt("The payee's number isn't registered with M-Pesa."), _NOTHING_PAID,
        _lt("Ask the payee for the right number. A changed number is verified again."),
    ),
    "SFC_IC0003": Explanation(
        _lt("M-Pesa doesn't know this number."), _NOTHING_PAID,
        _lt("Ask the payee for the right number. A changed number is verified again."),
    ),
    "8006": Explanation(
        _lt("Safaricom has locked the API operator's password after wrong tries."), _ALL_PAYMENTS,
        _lt("The business administrator unlocks the operator in the M-Pesa organisation portal and "
            "sets a new password. Store it here, press Check set-up, then resume."),
    ),
    "100000000": Explanation(
        _lt("M-Pesa keeps the request and will try it again itself."), _NOBODY_KNOWS, _WAIT,
    ),
    "100000001": _BUSY_INSIDE, "100000002": _BUSY_INSIDE, "100000011": _BUSY_INSIDE,
    "100000004": _INTERNAL, "100000005": _INTERNAL, "100000007": _INTERNAL,
    "100000009": _INTERNAL,
    "100000010": Explanation(
        _lt("M-Pesa says that the app has no permission for this."), _NOBODY_KNOWS,
        _lt("Wait: M-Pesa is asked what became of it. In the Daraja portal, see that the app has "
            "the product B2C."),
    ),
    "R000001": _REVERSAL, "R000002": _REVERSAL,
}
_DUPLICATE = Explanation(*CODES["15"])
UNKNOWN = Explanation(
    _lt("M-Pesa answered something that isn't in its published lists."),
    _lt("What it means isn't known, so nothing is concluded from it."),
    _CALL_SAFARICOM,
)
SILENCE = Explanation(
    _lt("M-Pesa gave no answer that can be read."),
    _NOBODY_KNOWS,
    _lt("Wait: it is asked again. If it goes on, see whether this server reaches the internet."),
)


def explain(code, text=""):
    """Return what `code` means.

    :param str code: an error code or a result code of Daraja; empty when there was none
    :param str text: what came with it. 500.002.1001 means two things, and only the text tells.
    :rtype: Explanation
    """
    code = str(code or "").strip().upper()
    if not code:
        return SILENCE
    if code == "500.002.1001" and "duplicate" in (text or "").lower():
        return _DUPLICATE
    return CODES.get(code, UNKNOWN)


def sentence(env, code, text=""):
    """Return all of it in one text in the language of `env`, M-Pesa's own words at the end.

    :rtype: str
    """
    parts = [env._(part) for part in explain(code, text)]
    own = " ".join(filter(None, (str(code or ""), text or "")))
    return " ".join(parts) + (f" [{own}]" if own else "")
