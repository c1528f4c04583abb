from . import test_tools
from . import test_soko_qc_plan
from . import test_soko_qc_inspection
from . import test_gate
from . import test_soko_plating
from . import test_access_rights
from . import test_tour
