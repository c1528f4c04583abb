from . import account_payment_register
from . import base_partner_merge_automatic_wizard
from . import soko_agreement_sign
from . import soko_drop_off
from . import soko_drop_off_line
from . import soko_return_owner
from . import soko_return_owner_line
from . import soko_stock_decide
