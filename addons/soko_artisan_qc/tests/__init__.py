from . import test_soko_artisan_qc
from . import test_access_rights
