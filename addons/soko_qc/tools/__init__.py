from . import chart
from . import compliance
from . import judgement
from . import plating
from . import readings
from . import sampling
from . import statistics
