from . import soko_drop_off
from . import soko_drop_off_line
from . import soko_stock_decide
