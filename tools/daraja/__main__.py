"""Start the simulator: ``python tools/daraja --port 8081 --state DIR``."""

import pathlib
import sys

if __package__ in (None, ""):
    sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from daraja.cli import main

sys.exit(main())
