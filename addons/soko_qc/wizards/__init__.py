from . import soko_qc_period
from . import soko_qc_control_chart
from . import soko_qc_agreement
from . import soko_plating_order
from . import soko_plating_again
from . import soko_qc_rework_back
from . import soko_qc_sampling_reset
from . import soko_plating_import
