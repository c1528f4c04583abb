from . import product_template
from . import soko_artisan
from . import stock_picking
