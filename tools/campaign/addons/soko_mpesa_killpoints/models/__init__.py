from . import ir_cron
from . import soko_mpesa_attempt
from . import soko_mpesa_account
