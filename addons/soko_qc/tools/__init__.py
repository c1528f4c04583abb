from . import compliance
from . import judgement
from . import plating
from . import sampling
from . import statistics
