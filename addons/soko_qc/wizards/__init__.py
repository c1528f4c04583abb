from . import soko_plating_order
from . import soko_plating_again
from . import soko_qc_rework_back
from . import soko_qc_sampling_reset
from . import soko_plating_import
