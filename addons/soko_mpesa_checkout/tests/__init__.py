from . import test_provider, test_push, test_query, test_result, test_routes, test_stk
