"""Start the postbox: ``python tools/postbox --port 8082 --smtp-port 8025 --state DIR``."""

import pathlib
import sys

if __package__ in (None, ""):
    sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from postbox.cli import main

sys.exit(main())
