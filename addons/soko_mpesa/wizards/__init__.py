from . import (
    account_payment_register,
    base_partner_merge_automatic_wizard,
    soko_mpesa_approval,
    soko_mpesa_approval_line,
    soko_mpesa_clearing,
    soko_mpesa_name_clear,
    soko_mpesa_payee_verify,
    soko_mpesa_reconciliation,
    soko_mpesa_reconciliation_line,
)
