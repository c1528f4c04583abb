from . import test_artisan
from . import test_made_by_http
from . import test_makers_http
from . import test_received_http
from . import test_received_token
from . import test_receipt_by_carrier
