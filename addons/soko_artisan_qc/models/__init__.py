from . import soko_artisan
from . import soko_qc_inspection
from . import soko_qc_inspection_piece
from . import soko_settlement_line
from . import stock_lot
from . import stock_move_line
from . import stock_warehouse
from . import mrp_production
