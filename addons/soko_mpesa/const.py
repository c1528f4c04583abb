"""Numbers and code lists of Daraja. Each says where it comes from; none of them is logic."""

METHOD_CODE = "mpesa_b2c"

MAKER = "soko_mpesa.soko_mpesa_group_maker"
APPROVER = "soko_mpesa.soko_mpesa_group_approver"
MANAGER = "soko_mpesa.soko_mpesa_group_manager"

# Odoo reads this file's name from the environment first, then from odoo.conf.
KEY_FILE_VARIABLE = "SOKO_MPESA_KEY_FILE"
KEY_FILE_OPTION = "soko_mpesa_key_file"
# These go before the account's own addresses.
BASE_URL_VARIABLE = "SOKO_MPESA_BASE_URL"
CALLBACK_URL_VARIABLE = "SOKO_MPESA_CALLBACK_URL"

# Daraja, B2C page, FAQ 9: one payment is 10 to 250,000 KES.
MIN_AMOUNT = 10
MAX_AMOUNT = 250_000
# Daraja, B2C page: what one number may receive in one day.
PAYEE_DAY_LIMIT = 500_000

HOSTS = {
    "sandbox": "https://sandbox.safaricom.co.ke",
    "production": "https://api.safaricom.co.ke",
}
PATH_TOKEN = "/oauth/v1/generate?grant_type=client_credentials"
PATH_PAYMENT = "/mpesa/b2c/v3/paymentrequest"
PATH_STATUS = "/mpesa/transactionstatus/v1/query"
PATH_BALANCE = "/mpesa/accountbalance/v1/query"

# Seconds. The deadline is for the whole call; the lease is far longer, so that a living sender
# is never mistaken for a dead one.
HTTP_DEADLINE = 20
TOKEN_DEADLINE = 10
TOKEN_MARGIN = 90
LEASE_SECONDS = 90
PASS_BUDGET = 45
LOCK_TIMEOUT_MS = 5000
MAX_RESPONSE_BYTES = 65536

# Minutes between two status queries of one payment; the last one is repeated for ever.
QUERY_DELAYS = "1,2,5,15,60"
UNKNOWN_ALARM_HOURS = 24
# Daraja, B2C page: how many days an operator's password lives; the watch and the check of the
# set-up warn this long before.
PASSWORD_DAYS = 90
PASSWORD_WARNING_DAYS = 10
# "Not found" is evidence only after this many answers, the last one this late after the send.
ABSENT_ANSWERS = 3
ABSENT_SETTLE_MINUTES = 60

# Kenya's Tax Procedures Act, 2015, section 23(1)(c): records are kept for five years from the end
# of the period that they are about. Nothing that proves a payment is erased before.
LEAST_KEEP_YEARS = 5
# Two years of margin: the period ends after the payment, and an audit may be under way.
KEEP_YEARS = 7

# The same stale token answers with another code and HTTP status on each API.
INVALID_TOKEN_CODES = frozenset({"401.002.01", "404.001.03", "400.003.01"})
# Refused at the gateway because of load: nothing was taken, the same id may go again.
THROTTLE_CODES = frozenset({"500.003.02", "500.003.03"})
# Refused at the gateway because of the request itself: nothing was taken, a person must look.
REJECT_CODES = frozenset({
    "400.002.02", "400.002.05", "404.001.01", "404.002.01", "404.003.01", "404.001.04", "405.001",
})

# Result codes that name the operator's credential: going on locks the operator (8006).
CREDENTIAL_RESULTS = frozenset({"18", "20", "21", "22", "2001", "8006", "TP40153"})
# The same without the codes of a missing role: it may be missing for the balance query alone, and
# asking again doesn't lock the operator.
LOCKING_RESULTS = CREDENTIAL_RESULTS - {"21", "TP40153"}
# Result codes after which no other payment of the account can succeed.
ACCOUNT_RESULTS = frozenset({"1", "11", "2006", "2028"})
# Documented reasons for which nothing was debited.
PRE_DEBIT_RESULTS = CREDENTIAL_RESULTS | ACCOUNT_RESULTS | frozenset({
    "2", "3", "4", "8", "24", "25", "29", "2040", "SFC_IC0003",
})

STATUS_PAID = frozenset({"completed"})
STATUS_NOT_PAID = frozenset({"cancelled", "canceled", "declined", "expired", "failed"})
