from . import main
from . import makers
from . import received
