from . import test_soko_artisan_qc
from . import test_access_rights
from . import test_owned_pieces
from . import test_qc_story
