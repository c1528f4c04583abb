"""The claims journal: what this server sent, in a file that no restored database can forget.

One line a claim, written after the claim was committed and before the request leaves. A database
that doesn't know a claim of its own journal is a copy of an older state: a backup, or a replica
that was behind. Lines hold no number and no name.
"""

import os
import re
from dataclasses import dataclass

CLAIM = "claim"
ACCOUNTED = "accounted"
# How much of the end of the file is read, and how many claims of it are looked up.
TAIL_BYTES = 65536
TAIL_CLAIMS = 50

_WORD = re.compile(r"[A-Za-z0-9:._-]{1,80}")


class ClaimsFileError(Exception):
    """The journal can't be written or read; the argument says why."""


@dataclass(frozen=True)
class Claim:
    """One line: when (UTC), which attempt, from which account, how much, digest of the request."""

    at: str
    originator_id: str
    account: str
    amount: int
    sha256: str


def default_path(key_file, hostname, database_uuid):
    """Return the path beside the key file, one for each server and database.

    :param str key_file: path of the key file
    :rtype: str
    """
    host = re.sub(r"[^A-Za-z0-9.-]", "-", hostname or "host")
    return f"{os.path.expanduser(key_file)}.claims-{host}-{(database_uuid or '')[:8]}"


def problem(path):
    """Return why nothing could be appended to `path`, or an empty text.

    Makes no file: whoever looks may be another process than the one that sends.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.lexists(path):
        if not os.path.isfile(path) or os.path.islink(path):
            return "is not a plain file"
        return "" if os.access(path, os.W_OK | os.R_OK) else "can't be read and written"
    if not os.path.isdir(folder):
        return "is in a folder that doesn't exist"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "is in a folder that can't be written"


def append_claim(path, claim):
    """Put `claim` on the disk. Returns when it is there.

    :param Claim claim:
    :raise ClaimsFileError: it isn't surely there; nothing may be sent
    """
    append_line(path, [
        claim.at, CLAIM, claim.originator_id, claim.account, str(claim.amount), claim.sha256])


def append_accounted(path, at, account):
    """Write that everything of `account` above this line is accounted for.

    :raise ClaimsFileError: it isn't surely there
    """
    append_line(path, [at, ACCOUNTED, account])


def recent_claims(path, account, limit=TAIL_CLAIMS):
    """Return the last claims of `account` that aren't accounted for, oldest first.

    Lines that can't be read, such as one that a full disk cut, are no claims: nothing was sent
    after them.

    :param str account: fingerprint of the account
    :raise ClaimsFileError: there is a file and it can't be read
    :rtype: list[Claim]
    """
    claims = []
    for line in tail_lines(path):
        words = line.split("\t")
        if words[1:2] == [ACCOUNTED] and words[2:] == [account]:
            claims = []
        elif len(words) == 6 and words[1] == CLAIM and words[3] == account and words[4].isdigit():
            claims.append(Claim(words[0], words[2], words[3], int(words[4]), words[5]))
    return claims[-limit:]


def append_line(path, words):
    """Put one line of `words` on the disk, whole.

    :raise ClaimsFileError: it isn't surely there
    """
    if not all(_WORD.fullmatch(word) for word in words):
        raise ClaimsFileError("a word doesn't fit into a line")
    data = ("\t".join(words) + "\n").encode("ascii")
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        is_new = not os.path.exists(path)
        descriptor = os.open(path, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data  # a line was cut: it must not swallow this one
            if os.write(descriptor, data) != len(data):
                raise ClaimsFileError("the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            _sync_folder(path)
    except OSError as error:
        raise ClaimsFileError(error.strerror or type(error).__name__) from None


def _sync_folder(path):
    """Make the name of a new file durable, too."""
    descriptor = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def tail_lines(path):
    """Return the finished lines at the end of the file, oldest first; none without a file.

    :raise ClaimsFileError: there is a file and it can't be read
    """
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(size - TAIL_BYTES, 0))
            data = stream.read()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ClaimsFileError(error.strerror or type(error).__name__) from None
    lines = data.decode("ascii", "replace").split("\n")
    # the first one may be cut by where we began, the last one isn't finished
    return lines[1 if size > TAIL_BYTES else 0:-1]
