"""Where the points and lines of a control chart are drawn. Plain Python: no database."""

from typing import NamedTuple

WIDTH, HEIGHT = 960, 280
LEFT, RIGHT, TOP, BOTTOM = 16, 150, 16, 16  # the right margin holds the names of the lines


class Drawing(NamedTuple):
    """Places in an area of ``WIDTH`` x ``HEIGHT``, from its upper left corner."""

    points: list  # (x, y) of each value
    heights: list  # y of each line


def draw(values, lines):
    """Place values from left to right, and level lines, so that all of them are seen.

    :param values: finite numbers, at least one
    :param lines: values of the level lines
    :rtype: Drawing
    """
    lowest, highest = min([*values, *lines]), max([*values, *lines])
    span = highest - lowest or 1.0  # all alike: one level line
    drawn, step = HEIGHT - TOP - BOTTOM, (WIDTH - LEFT - RIGHT) / max(len(values) - 1, 1)

    def height(value):
        return round(TOP + drawn * (highest - value) / span, 1)

    points = [(round(LEFT + step * index, 1), height(value)) for index, value in enumerate(values)]
    return Drawing(points, [height(value) for value in lines])


def subgroups(readings, size):
    """Part readings into groups of one size, each of readings that were made together.

    What is left over in a batch makes no group: readings of two batches in one group would hide
    the difference between the batches, which is what the chart looks for.

    :param readings: pairs ``(batch, reading)``, in the order they were made
    :param int size: readings in a group
    :return: pairs ``(batch, group)``
    :rtype: list[tuple]
    """
    batches = {}
    for batch, reading in readings:
        batches.setdefault(batch, []).append(reading)
    return [
        (batch, batched[start : start + size])
        for batch, batched in batches.items()
        for start in range(0, len(batched) - size + 1, size)
    ]
