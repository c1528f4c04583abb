"""Where the running system is and who can log in."""

import json
import os
from dataclasses import dataclass
from pathlib import Path


class NowhereError(Exception):
    """The story does not know where the system runs."""


@dataclass(frozen=True)
class Places:
    """Addresses without a trailing slash, and passwords by login."""

    odoo: str
    simulator: str
    postbox: str
    passwords: dict

    @classmethod
    def from_environment(cls, environ=os.environ):
        """Read what the launcher hands over.

        ``SOKO_URL``, ``SOKO_SIMULATOR_URL`` and ``SOKO_POSTBOX_URL`` are addresses;
        ``SOKO_LOGINS_FILE`` is a JSON list of objects with ``login`` and ``password``.
        """
        names = ("SOKO_URL", "SOKO_SIMULATOR_URL", "SOKO_POSTBOX_URL", "SOKO_LOGINS_FILE")
        missing = [name for name in names if not environ.get(name)]
        if missing:
            raise NowhereError(
                f"{', '.join(missing)} not set: start the story with ./soko story, "
                "which finds the running system or starts one."
            )
        odoo, simulator, postbox = (environ[name].rstrip("/") for name in names[:3])
        people = json.loads(Path(environ["SOKO_LOGINS_FILE"]).read_text(encoding="utf-8"))
        return cls(odoo, simulator, postbox, {p["login"]: p["password"] for p in people})
