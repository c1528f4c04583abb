from . import soko_plating_order
