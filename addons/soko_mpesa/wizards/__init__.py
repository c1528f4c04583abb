from . import (
    account_payment_register,
    soko_mpesa_approval,
    soko_mpesa_approval_line,
)
