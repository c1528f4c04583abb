"""Entry point of ``./soko`` (``python tools/soko``)."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from soko.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
