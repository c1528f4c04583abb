from . import judgement
from . import plating
