from . import payment_provider, payment_transaction, soko_mpesa_inbox
