"""What each stage of an artisan's life allows. Without the ORM.

An applicant is only known; trained means that somebody says she may deliver; active is who
delivers; dormant has not come for long, and is welcome back; left wants nothing any more, or we
do not. What is owed is paid in every stage: that is not a permission.
"""

ALLOWED = {
    "applicant": {"training"},
    "trained": {"training", "agreement", "drop_off", "replenishment", "work"},
    "active": {"training", "agreement", "drop_off", "replenishment", "work"},
    "dormant": {"training", "agreement", "drop_off", "replenishment", "work"},
    "left": set(),
}


def allows(stage, what):
    """Tell whether an artisan in `stage` may have `what`.

    :param str stage: a key of ALLOWED
    :param str what: "training", "agreement", "drop_off", "replenishment" or "work"
    :raise KeyError: an unknown stage
    """
    return what in ALLOWED[stage]


def stages_that_allow(what):
    """Return the stages in which an artisan may have `what`, in the order of a life."""
    return [stage for stage, allowed in ALLOWED.items() if what in allowed]


def stage_after_drop_off(stage):
    """Return the stage of an artisan who has just brought pieces."""
    return "active" if stage in ("trained", "dormant") else stage
