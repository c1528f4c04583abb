from . import controllers
from . import models
from . import tools
from . import wizards


def post_init_hook(env):
    """Give warehouses that were there before this module their drop-off operation type."""
    env["stock.warehouse"].with_context(active_test=False).search([])._soko_ensure_drop_off_type()
