from . import (
    test_access,
    test_account,
    test_bank,
    test_books,
    test_callback_http,
    test_classify,
    test_client,
    test_invariants,
    test_money_flow,
    test_parse,
    test_pure,
    test_states,
)
