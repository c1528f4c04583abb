"""What the watch looks at: facts about jobs and findings, without the ORM."""

import hashlib
import json
from dataclasses import dataclass, field

# The jobs without which no money moves or nothing is noticed; an outside monitor sees these.
CORE_JOBS = (
    "ir_cron_send", "ir_cron_apply", "ir_cron_query", "ir_cron_sweep", "ir_cron_watch",
)
SILENT_SECONDS = 600
UNIT_SECONDS = {
    "minutes": 60, "hours": 3600, "days": 86400, "weeks": 7 * 86400, "months": 31 * 86400,
}


@dataclass(frozen=True)
class Finding:
    """Something that a person should look at.

    `kind` and `subject` together say what it is about: there is one row for each pair. `facts` are
    plain values from which the sentences are made in each reader's language. `calls` says whether
    the person responsible gets a task; not when what it is about has a task of its own already.
    """

    kind: str
    subject: str
    severity: str
    since: object
    company_id: int | bool = False
    user_id: int | bool = False
    res_model: str | bool = False
    res_id: int | bool = False
    facts: dict = field(default_factory=dict)
    calls: bool = False


@dataclass(frozen=True)
class Job:
    """One of the module's scheduled jobs as it is now.

    :param int age: seconds since its last pass; None when there is no such job any more
    :param int interval: seconds between two passes
    """

    name: str
    label: str = ""
    cron_id: int | bool = False
    active: bool = False
    user_active: bool = False
    age: int | None = None
    interval: int = 0

    @property
    def problem(self):
        """Why nothing comes of this job: a word, empty when it runs."""
        if self.age is None:
            return "missing"
        if not self.active:
            return "off"
        if not self.user_active:
            return "user"
        return "silent" if self.age > silent_after(self.interval) else ""


def silent_after(interval):
    """Return after how many seconds without a pass a job is silent.

    Ten minutes, because Odoo looks for due jobs about once a minute and a pass lasts up to 45 s;
    a job that runs seldom may miss one turn.

    :param int interval: seconds between two passes
    :rtype: int
    """
    return max(SILENT_SECONDS, 2 * interval)


def seconds_of(number, unit):
    """Return the seconds of an interval as Odoo writes it, such as (5, "minutes")."""
    return number * UNIT_SECONDS.get(unit, 86400)


def digest_of(rows):
    """Return a digest of what an invariant's query returned, whatever its order."""
    text = json.dumps(sorted(str(row) for row in rows))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
