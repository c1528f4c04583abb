from . import product_template
from . import soko_artisan
from . import soko_receipt_rule
from . import soko_receipt_token
from . import stock_picking
