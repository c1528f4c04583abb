from . import payday
from . import pricing
from . import replenish
from . import sms_gateway
from . import terms
