"""Who owns which number: names, whether they are on M-Pesa, what was in their wallets."""

import json
import os
import random

FIRST_NAMES = (
    "ACHIENG", "BARAKA", "CHEBET", "DAUDI", "ESTHER", "FATUMA", "GITHINJI", "HALIMA", "IMANI",
    "JUMA", "KAMAU", "LULU", "MUMBI", "NJERI", "OTIENO", "PENDO", "REHEMA", "SALIM", "TABITHA",
    "WANJIKU", "YUSUF", "ZAWADI",
)
FIELDS = {"name": str, "registered": bool, "on_mpesa": bool, "wallet": int}


class People:
    """The register of numbers, kept in ``people.json`` of the state folder.

    Numbers that nobody named have a made-up owner, the same at every call.
    """

    def __init__(self, path, opening_wallet):
        self.path = path
        self.opening_wallet = opening_wallet
        self.known = json.loads(path.read_text()) if path.exists() else {}

    def get(self, msisdn):
        """Return the owner of a number: name, registered, on_mpesa, wallet (shillings)."""
        name = random.Random(msisdn).choice(FIRST_NAMES) + " MFANO"
        made_up = {
            "name": name, "registered": True, "on_mpesa": True, "wallet": self.opening_wallet,
        }
        return {**made_up, **self.known.get(msisdn, {})}

    def update(self, people):
        """Take over names or records by number and keep them.

        :param dict people: ``{"2547...": "NAME"}`` or ``{"2547...": {"name": .., ...}}``
        :raises ValueError: an unknown field or a value of the wrong type; nothing is kept
        """
        fresh = {}
        for msisdn, record in people.items():
            record = {"name": record} if isinstance(record, str) else record
            if not isinstance(record, dict):
                raise ValueError(f"{msisdn}: give a name or an object")
            for field, value in record.items():
                if field not in FIELDS or type(value) is not FIELDS[field]:
                    raise ValueError(f"{msisdn}: {field} is unknown or of the wrong type")
            fresh[msisdn] = {**self.known.get(msisdn, {}), **record}
        self.known.update(fresh)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.known, indent=1, sort_keys=True))
        os.replace(draft, self.path)
