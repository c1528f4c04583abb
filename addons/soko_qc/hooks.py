def post_init_hook(env):
    """Give the warehouses that were there before us their hold and rejected locations."""
    warehouses = env["stock.warehouse"].with_context(active_test=False).search([])
    warehouses._soko_qc_create_locations()
