from . import carrier_receipt
from . import portal
from . import portal_agreement
from . import portal_stock
