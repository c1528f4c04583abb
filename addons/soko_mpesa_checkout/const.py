"""Numbers and codes of the STK push (Daraja, M-Pesa Express)."""

PROVIDER_CODE = "mpesa"
PATH_PUSH = "/mpesa/stkpush/v1/processrequest"
PATH_QUERY = "/mpesa/stkpushquery/v1/query"
# The word of the callback address; Safaricom refuses addresses with "mpesa" or "query" in them.
CALLBACK_WORD = "shopper"
PASSKEY_KIND = "stk_passkey"

# Whole shillings, Daraja's M-Pesa Express page.
MIN_AMOUNT = 1
MAX_AMOUNT = 250_000

# Seconds: a shopper waits for the answer, so the call is given up earlier than a payout's.
PUSH_DEADLINE = 15
# Minutes after the push, and then after each query, until Safaricom is asked. A prompt lives for
# about a minute.
QUERY_DELAYS = (1.5, 2, 5, 15, 60, 240, 1440)

# One code covers refusals and unclear errors; only these texts say that nothing was prompted.
REFUSAL_TEXTS = ("merchant does not exist", "wrong credentials", "unable to lock subscriber")
# Not an outcome yet.
UNFINISHED_CODES = frozenset({"4999", "100000000"})
CANCELLED_CODE = "1032"
