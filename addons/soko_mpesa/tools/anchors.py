"""Anchors of the evidence: what it was on a day, in a file that no database can rewrite.

One line an anchor: when (UTC), which database, how many rows of evidence, the number of the last
of them, and a digest over the ends of all their chains. Lines hold no number of a phone, no name
and no amount.
"""

from dataclasses import dataclass

from . import claims

ANCHOR = "anchor"
SUFFIX = ".anchors"
# Waits until transactions that drew a lower number are surely over: none of ours takes so long.
SETTLE_MINUTES = 60


@dataclass(frozen=True)
class Anchor:
    """What the evidence of a database was up to one of its rows.

    :param str at: when it was looked at, in UTC
    :param str database: fingerprint of the database
    :param int count: how many rows there were
    :param int last_id: the number of the last of them
    :param str digest: hexadecimal, over the end of each chain
    """

    at: str
    database: str
    count: int
    last_id: int
    digest: str

    def agrees(self, other):
        """Whether the evidence is the same in both, whenever they were looked at."""
        return (self.count, self.last_id, self.digest) == (
            other.count, other.last_id, other.digest)


def append(path, anchor):
    """Put `anchor` on the disk. Returns when it is there.

    :raise claims.ClaimsFileError: it isn't surely there
    """
    claims.append_line(path, [
        anchor.at, ANCHOR, anchor.database, str(anchor.count), str(anchor.last_id),
        anchor.digest])


def last(path, database):
    """Return the newest anchor of `database` in the file, or None.

    Lines that can't be read, such as one that a full disk cut, are none.

    :param str database: fingerprint of the database
    :raise claims.ClaimsFileError: there is a file and it can't be read
    :rtype: Anchor | None
    """
    for line in reversed(claims.tail_lines(path)):
        words = line.split("\t")
        if (len(words) == 6 and words[1:3] == [ANCHOR, database]
                and words[3].isdigit() and words[4].isdigit()):
            return Anchor(words[0], database, int(words[3]), int(words[4]), words[5])
    return None
