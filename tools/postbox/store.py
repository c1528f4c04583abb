"""Messages on the disk: one JSON file per SMS, one ``.eml`` with its envelope per e-mail."""

import datetime
import json
import os
import pathlib
import threading


def stamp():
    """Return the present time in UTC."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.isoformat(timespec="milliseconds")


def write_whole(path, content):
    """Write a file that is there whole or not at all, even after a power cut."""
    draft = path.with_name(path.name + ".new")
    with open(draft, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, path)


class Store:
    """What was received, in the order of its numbers."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._lock = threading.Lock()
        for kind in ("sms", "mail"):
            (self.folder / kind).mkdir(parents=True, exist_ok=True)
        self._sms = [json.loads(path.read_text()) for path in self._files("sms", "json")]
        self._mail = [
            (json.loads(path.read_text()), path.with_suffix(".eml").read_bytes())
            for path in self._files("mail", "json")
        ]
        self._by_uuid = {sms["uuid"]: sms for sms in self._sms if sms["uuid"]}

    def _files(self, kind, suffix):
        return sorted((self.folder / kind).glob(f"*.{suffix}"))

    def add_sms(self, to, body, uuid):
        """Keep an SMS and return it; one with a known uuid is returned as it was."""
        with self._lock:
            if uuid and uuid in self._by_uuid:
                return self._by_uuid[uuid]
            number = self._sms[-1]["n"] + 1 if self._sms else 1
            sms = {"n": number, "at": stamp(), "to": to, "body": body, "uuid": uuid}
            write_whole(self.folder / "sms" / f"{number:06d}.json", json.dumps(sms).encode())
            self._sms.append(sms)
            if uuid:
                self._by_uuid[uuid] = sms
            return sms

    def add_mail(self, sender, recipients, content):
        """Keep an e-mail; ``sender`` and ``recipients`` are those of the envelope."""
        with self._lock:
            number = self._mail[-1][0]["n"] + 1 if self._mail else 1
            envelope = {
                "n": number, "at": stamp(), "envelope_from": sender, "recipients": recipients,
            }
            path = self.folder / "mail" / f"{number:06d}.eml"
            write_whole(path, content)
            write_whole(path.with_suffix(".json"), json.dumps(envelope).encode())
            self._mail.append((envelope, content))
            return number

    def sms(self):
        """Return all SMS."""
        with self._lock:
            return list(self._sms)

    def mail(self):
        """Return all e-mails as (envelope, bytes)."""
        with self._lock:
            return list(self._mail)

    def reset(self):
        """Throw everything away."""
        with self._lock:
            for kind in ("sms", "mail"):
                for path in (self.folder / kind).iterdir():
                    path.unlink()
            self._sms, self._mail, self._by_uuid = [], [], {}
