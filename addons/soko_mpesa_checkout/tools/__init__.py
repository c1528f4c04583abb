from . import stk
