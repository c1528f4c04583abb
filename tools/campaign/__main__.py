"""Start it with ``./soko campaign``."""

import pathlib
import sys

if __package__ in (None, ""):
    sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from campaign.conduct import main

sys.exit(main())
