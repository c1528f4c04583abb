from . import (
    base_partner_merge_automatic_wizard,
    soko_mpesa_name_clear,
    soko_mpesa_payee_verify,
)
