"""How many pieces of a lot are looked at: ISO 2859-1 by attributes. Plain Python: no database.

Single sampling plans of ISO 2859-1:1999, Tables 1, 2-A (normal), 2-B (tightened) and 2-C (reduced),
for nonconforming pieces in percent, where the standard offers AQLs up to 10. (Its columns 15 to
1000 count nonconformities per 100 pieces, which nobody does here.) The tables are regular, so they
are made from a rule instead of typed in: in each column the acceptance number 0 stands once, one
row lower for each smaller AQL; then come two or three arrows; then the acceptance numbers rise row
by row. An arrow means: the first plan below, or above, with that plan's own sample size.

Sources: ISO 2859-1:1999 as adopted in IS 2500-1:2000 and GB/T 2828.1-2012; Tables 2-A and 2-B also
MIL-STD-105E (1989), Tables II-A and II-B. Where they disagree:

- reduced inspection: MIL-STD-105E leaves a gap between acceptance and rejection (1/3, 2/5, ...);
  ISO 2859-1 closed it in 1999 (1/2, 2/3, 3/4, 5/6, 6/7, 8/9, 10/11), which is what stands here.
  One public transcription writes 4/5 for 5/6; another one and the rule of the standard say 5/6.
- tightened, letter A, AQL 10: MIL-STD-105E has an arrow to 8 pieces (1/2), transcriptions of
  ISO 2859-1 differ; the table's own rule gives 2 pieces (0/1).
"""

from fractions import Fraction
from typing import NamedTuple

NORMAL, TIGHTENED, REDUCED = "normal", "tightened", "reduced"
# Every piece: of a maker without a history, and while sampling is discontinued.
FULL, STOPPED = "full", "stopped"

# Percent nonconforming, as the standard prints them.
AQLS = (
    "0.010", "0.015", "0.025", "0.040", "0.065", "0.10", "0.15", "0.25",
    "0.40", "0.65", "1.0", "1.5", "2.5", "4.0", "6.5", "10",
)  # fmt: skip
NONE_ALLOWED = "0"

# Table 1: a lot of at most so many pieces has, at each level, the letter at the same place.
_LOT_SIZES = (
    8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000,
)  # fmt: skip
_LETTERS_OF_LEVEL = {
    "S-1": "AAAABBBBCCCCDDD",
    "S-2": "AAABBBCCCDDDEEE",
    "S-3": "AABBCCDDEEFFGGH",
    "S-4": "AABCCDEEFGGHJJK",
    "I": "AABCCDEFGHJKLMN",
    "II": "ABCDEFGHJKLMNPQ",
    "III": "BCDEFGHJKLMNPQR",
}
LEVELS = tuple(_LETTERS_OF_LEVEL)
LETTERS = "ABCDEFGHJKLMNPQRS"  # no I and no O; S serves tightened inspection only

_DOWN, _UP = "down", "up"


class _Table(NamedTuple):
    sizes: tuple  # pieces in the sample, for each letter
    zero: int  # column (from 1) of the acceptance number 0 in the row of letter A
    arrows: tuple  # what stands between 0 and 1
    numbers: tuple  # acceptance numbers that follow


_SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
_TABLES = {
    NORMAL: _Table(_SIZES, 15, (_UP, _DOWN), (1, 2, 3, 5, 7, 10, 14, 21)),
    TIGHTENED: _Table((*_SIZES, 3150), 16, (_DOWN, _DOWN), (1, 2, 3, 5, 8, 12, 18)),
    REDUCED: _Table(
        (2, 2, 2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800),
        15,
        (_UP, _DOWN, _DOWN),
        (1, 2, 3, 5, 6, 8, 10),
    ),
}

# Clause 9.3.3 and 9.4 of ISO 2859-1:1999.
SCORE_FOR_REDUCED = 30
_ACCEPTED_TO_LEAVE_TIGHTENED = 5
_REFUSED_TO_STOP = 5
_WINDOW, _REFUSED_IN_WINDOW = 5, 2


class Plan(NamedTuple):
    """A single sampling plan: look at ``size`` pieces, accept with at most ``accept`` bad ones."""

    letter: str
    size: int
    accept: int

    @property
    def reject(self):
        """The smallest number of bad pieces that refuses the lot."""
        return self.accept + 1


class Sample(NamedTuple):
    """What to do with one lot: pieces to look at, and the acceptance number of each severity."""

    size: int
    accept: dict


class History(NamedTuple):
    """Where the lots of one maker stand between normal, tightened and reduced inspection."""

    stage: str = FULL
    run: int = 0  # accepted lots in a row, on full and on tightened inspection
    recent: str = ""  # the last lots on normal inspection: A accepted, R not
    score: int = 0  # switching score, on normal inspection
    refused: int = 0  # lots not accepted since tightened inspection began


def code_letter(lot_size, level="II"):
    """Sample size code letter (Table 1).

    :param int lot_size: pieces in the lot; the standard begins at 2, a single piece is letter A's
    :param str level: one of ``LEVELS``
    :raises ValueError: for a lot without pieces or an unknown level
    :rtype: str
    """
    if lot_size < 1:
        raise ValueError("a lot needs at least one piece")
    if level not in _LETTERS_OF_LEVEL:
        raise ValueError(f"no such inspection level: {level}")
    place = sum(lot_size > size for size in _LOT_SIZES)
    return _LETTERS_OF_LEVEL[level][place]


def single_plan(letter, aql, stage=NORMAL):
    """The single sampling plan of a code letter (Tables 2-A, 2-B, 2-C), arrows followed.

    :param str letter: sample size code letter
    :param str aql: one of ``AQLS``, percent nonconforming
    :param str stage: ``normal``, ``tightened`` or ``reduced``
    :raises ValueError: for a letter, AQL or stage the tables do not have
    :rtype: Plan
    """
    if aql not in AQLS:
        raise ValueError(f"no such AQL: {aql}")
    if stage not in _TABLES:
        raise ValueError(f"no such table: {stage}")
    row, column = LETTERS.index(letter), AQLS.index(aql) + 1
    if row >= len(_SIZES):
        raise ValueError(f"no such code letter: {letter}")
    up, down = (_follow(stage, row, column, direction) for direction in (_UP, _DOWN))
    # At the edges of the table an arrow turns to where there still is a plan.
    return (up or down) if _cell(stage, row, column) == _UP else (down or up)


def _cell(stage, row, column):
    """What the table prints: an acceptance number or an arrow."""
    table = _TABLES[stage]
    step = column - (table.zero - row)
    if step < 0:
        return _DOWN
    if step == 0:
        return 0
    if step <= len(table.arrows):
        return table.arrows[step - 1]
    step -= len(table.arrows) + 1
    return table.numbers[step] if step < len(table.numbers) else _UP


def _follow(stage, row, column, direction):
    """The first plan in a direction, or None."""
    sizes = _TABLES[stage].sizes
    step = -1 if direction == _UP else 1
    while 0 <= row < len(sizes):
        cell = _cell(stage, row, column)
        if isinstance(cell, int):
            return Plan(LETTERS[row], sizes[row], cell)
        row += step
    return None


def lot_sample(lot_size, level, aqls, stage=NORMAL):
    """How many pieces of a lot to look at, and how many bad ones of each severity it may have.

    One sample serves all severities: the letter of the largest sample is used for each of them
    (clause 10.3). A severity that this letter sends up to a smaller sample keeps the smaller
    acceptance number, so it is never judged more loosely. A sample as large as the lot is the lot.

    On full inspection the whole lot is looked at, and it counts as accepted up to the AQL itself
    (at least with the number the sample would have allowed).

    :param int lot_size: pieces in the lot
    :param str level: inspection level
    :param dict aqls: AQL for each severity; ``"0"`` when none is allowed, left out when not counted
    :param str stage: ``normal``, ``tightened``, ``reduced``, or ``full`` and ``stopped``
    :raises ValueError: when no severity has an AQL, or for unknown levels and AQLs
    :rtype: Sample
    """
    counted = {severity: aql for severity, aql in aqls.items() if aql != NONE_ALLOWED}
    if not counted:
        raise ValueError("at least one severity needs an AQL")
    full = stage in (FULL, STOPPED)
    table = NORMAL if full else stage
    plans = _common_plans(code_letter(lot_size, level), counted, table)
    accept = {severity: plan.accept for severity, plan in plans.items()}
    size = min(max(plan.size for plan in plans.values()), lot_size)
    if full:
        size = lot_size
        for severity, aql in counted.items():
            accept[severity] = max(accept[severity], lot_size * Fraction(aql) // 100)
    return Sample(size, {severity: accept.get(severity, 0) for severity in aqls})


def _common_plans(letter, aqls, table):
    """Plans for all severities at the letter of the largest sample."""
    plans = {severity: single_plan(letter, aql, table) for severity, aql in aqls.items()}
    largest = max(plans.values(), key=lambda plan: plan.size)
    while True:
        plans = {s: single_plan(largest.letter, aql, table) for s, aql in aqls.items()}
        grown = max(plans.values(), key=lambda plan: plan.size)
        if grown.size <= largest.size:
            return plans
        largest = grown


def is_accepted(found, accept):
    """Whether a lot is accepted.

    :param dict found: bad pieces for each severity, each piece counted at its worst
    :param dict accept: acceptance number for each severity that counts
    """
    return all(found.get(severity, 0) <= number for severity, number in accept.items())


def score_step(found, accept, aqls):
    """What an accepted lot on normal inspection adds to the switching score (clause 9.3.3.2).

    Acceptance numbers 0 and 1: two points. From 2 on: three points when the lot would also have
    been accepted one AQL tighter, else the score begins anew. One AQL tighter is the acceptance
    number before this one. Several severities: the least of their points.

    :param dict found: bad pieces for each severity
    :param dict accept: acceptance number for each severity
    :param dict aqls: AQL for each severity; those where none is allowed give no points
    :return: points, or 0 when the score begins anew
    :rtype: int
    """
    if not is_accepted(found, accept):
        return 0
    ladder = (0, *_TABLES[NORMAL].numbers)
    points = []
    for severity, number in accept.items():
        if aqls.get(severity, NONE_ALLOWED) == NONE_ALLOWED:
            continue
        if number < 2:
            points.append(2)
        else:
            tighter = max(x for x in ladder if x < number)
            points.append(3 if found.get(severity, 0) <= tighter else 0)
    return min(points, default=0)


def after_lot(history, accepted, points=0, new_maker_lots=3, tables=True, reduced=True):
    """The switching rules: what one more lot changes (clauses 9.3 and 9.4).

    :param History history: before the lot
    :param bool accepted: the lot was accepted on its first inspection
    :param int points: of ``score_step``
    :param int new_maker_lots: accepted lots in a row that end full inspection
    :param bool tables: there is a tightened and a reduced table; without, two refused lots of five
        bring full inspection back
    :param bool reduced: the house wants reduced inspection (9.3.3.1 c)
    :rtype: History
    """
    if history.stage == FULL:
        return _after_full(history, accepted, new_maker_lots)
    if history.stage == NORMAL:
        return _after_normal(history, accepted, points, tables, reduced)
    if history.stage == TIGHTENED:
        return _after_tightened(history, accepted)
    if history.stage == REDUCED:
        return history if accepted else History(NORMAL)
    return history


def _after_full(history, accepted, new_maker_lots):
    run = history.run + 1 if accepted else 0
    return History(NORMAL) if run >= new_maker_lots else history._replace(run=run)


def _after_normal(history, accepted, points, tables, reduced):
    recent = (history.recent + ("A" if accepted else "R"))[-_WINDOW:]
    if recent.count("R") >= _REFUSED_IN_WINDOW:
        return History(TIGHTENED if tables else FULL)
    score = history.score + points if accepted and points else 0
    if tables and reduced and score >= SCORE_FOR_REDUCED:
        return History(REDUCED)
    return history._replace(recent=recent, score=score)


def _after_tightened(history, accepted):
    if accepted:
        run = history.run + 1
        done = run >= _ACCEPTED_TO_LEAVE_TIGHTENED
        return History(NORMAL) if done else history._replace(run=run)
    refused = history.refused + 1
    if refused >= _REFUSED_TO_STOP:
        return History(STOPPED)
    return history._replace(run=0, refused=refused)
