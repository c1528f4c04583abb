from . import portal
from . import portal_agreement
from . import portal_stock
