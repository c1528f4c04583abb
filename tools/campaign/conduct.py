"""The course of a campaign: storm, heal, audit, report."""

import argparse
import fcntl
import json
import secrets
import sys
import time

import psycopg2
from soko import paths
from soko.services import terminable
from soko.ui import Stop, say

from . import script, wire
from .auditor import OPEN, Auditor
from .house import CREDENTIAL, KEY, SECRET, House
from .killer import Killer

STEP = 0.1  # seconds between two looks
NUDGED = 0.4  # seconds between two calls of the jobs
HEALING = 1.5  # seconds between two looks while the rest is followed to its end
LOOKED = 1.0  # seconds between two looks at the simulator's counts
NEWS = 20  # seconds between two lines of progress
ALL_OPEN = "('prepared', 'sending', 'accepted', 'unknown')"
# Who holds the lock that keeps a job from running twice, and who is doing the job's work.
CUTS = ("query ILIKE '%%ir_cron%%NO KEY UPDATE%%'", "query NOT ILIKE '%%ir_cron%%'")
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND state LIKE 'idle in transaction%%' AND {}
     ORDER BY random() LIMIT 1
"""
# nobody waits for minutes because the service was busy for a moment
UNPAUSE = (
    "UPDATE soko_mpesa_account SET paused_until = NULL WHERE paused_until IS NOT NULL",
    "UPDATE soko_mpesa_secret SET retry_at = 0, failures = 0 WHERE retry_at > 0",
)
THAW = """
    UPDATE res_company SET soko_mpesa_frozen = false
     WHERE soko_mpesa_frozen RETURNING to_jsonb(res_company) ->> 'soko_mpesa_frozen_reason'
"""
RESUME = "UPDATE soko_mpesa_account SET stopped_reason = NULL WHERE stopped_reason IS NOT NULL"
HASTEN = """
    UPDATE soko_mpesa_attempt a
       SET not_before = NULL,
           next_query_at = CASE WHEN a.state IN ('accepted', 'unknown')
                                THEN now() AT TIME ZONE 'UTC' END
      FROM soko_mpesa_payout p
     WHERE p.id = a.payout_id AND a.originator_id = ANY(%s)
       AND (a.not_before IS NOT NULL
            OR a.next_query_at > now() AT TIME ZONE 'UTC' + interval '2 seconds')
"""
IMPORTING = "SELECT count(*) FROM soko_mpesa_statement WHERE state <> 'imported'"
UNFINISHED = f"""
    SELECT (SELECT count(*) FROM soko_mpesa_inbox WHERE state = 'new'), array(
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE a.state IN {ALL_OPEN} AND p.exception_reason IS NULL)
"""


def arguments(words=None):
    """Return the command line's wishes."""
    parser = argparse.ArgumentParser(prog="./soko campaign", description=(
        "Pay by M-Pesa under faults and kills, then compare the books of both sides. Uses a "
        "PostgreSQL, a database and a simulator of its own."))
    parser.add_argument("--faults", type=int, default=2000, metavar="N",
                        help="go on until so many faults were played (2000)")
    parser.add_argument("--kills", type=int, default=13, metavar="N",
                        help="kills at named points; 13 points, kill -9 first (13)")
    parser.add_argument("--cuts", type=int, default=6, metavar="N",
                        help="connections to PostgreSQL that are cut: in turn the one that holds "
                             "a job's lock, so that the job runs twice, and one at work (6)")
    parser.add_argument("--points", default=",".join(script.POINTS), metavar="K0,K1..",
                        help="kill at these points only")
    parser.add_argument("--payouts", type=int, default=200, metavar="N", help="at least (200)")
    parser.add_argument("--crimes", type=float, default=0.001, metavar="P",
                        help="chance of each misdeed of the service itself (0.001)")
    parser.add_argument("--seed", type=int, help="repeat a campaign")
    parser.add_argument("--minutes", type=float, default=60, metavar="M", help="give up after (60)")
    parser.add_argument("--sabotage", choices=["no-claim-commit"], default="",
                        help="break the sender on purpose; the campaign must notice")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    return parser.parse_args(words)


class Campaign:
    """One campaign from the first payment to the verdict."""

    def __init__(self, args, house):
        self.args, self.house = args, house
        self.killer = Killer(house, script.kills(
            args.kills, args.seed, args.points.split(",")))
        self.started = time.monotonic()
        self.nudged = self.told = self.looked = 0.0
        self.faults = self.stops = self.cuts = 0
        self.freezes = []

    def stats(self):
        """Return how many faults were played, by name, and how many in all."""
        found = wire.get(self.house.simulator_url + "/_sim/stats")
        return found["faults"], found["faults_total"]

    def count(self, condition="true"):
        """Return how many payouts there are."""
        text = f"SELECT count(*) FROM soko_mpesa_payout WHERE {condition}"
        return self.house.query(text)[0][0]

    def minutes(self):
        """Return how long it has been going on."""
        return (time.monotonic() - self.started) / 60

    # ------------------------------------------------------------------ storm
    def storm(self):
        """Pay under faults and kills until there were enough of all three."""
        faults = script.faults() + script.crimes(self.args.crimes)
        wire.post(self.house.simulator_url + "/_sim/faults", faults)
        self.house.start_maker()
        while True:
            with self.killer.lock:
                if self.is_enough():
                    break
                self.tend()
            progress = self.faults / (0.9 * self.args.faults)
            self.killer.step(progress)
            self.cut(progress)
            time.sleep(STEP)
        (self.house.arms / "enough").touch()
        self.killer.stop()

    def is_enough(self):
        """Whether all that was asked for has happened."""
        if self.minutes() > self.args.minutes:
            raise Stop(f"not enough happened in {self.args.minutes:g} minutes")
        if time.monotonic() - self.told > NEWS:
            self.tell()
        if time.monotonic() - self.looked < LOOKED:
            return False
        self.looked, self.faults = time.monotonic(), self.stats()[1]
        return (self.faults >= self.args.faults and self.killer.finished()
                and self.cuts >= self.args.cuts
                and self.count() >= self.args.payouts)

    def tell(self):
        """Say how far it has come."""
        self.told = time.monotonic()
        say(f"campaign: {self.minutes():.1f} min, {self.faults} faults, "
            f"{sum(self.killer.done.values())} kills, {self.count()} payouts, "
            f"{self.count('state = %s' % repr('paid'))} paid")

    def tend(self):
        """Do what systemd and a manager do: restart, resume; and have the jobs run now."""
        self.house.supervise()
        if time.monotonic() - self.nudged < NUDGED:
            return
        try:
            self.stops += bool(self.house.query(RESUME + " RETURNING id"))
            for text in UNPAUSE:
                self.house.query(text)
            self.freezes += [reason or "" for (reason,) in self.house.query(THAW)]
            self.house.nudge()
        except psycopg2.Error:
            self.house.forget_connections()
        self.nudged = time.monotonic()

    def cut(self, progress):
        """Cut the next connection when it is its turn."""
        if self.cuts >= self.args.cuts or progress * self.args.cuts < self.cuts:
            return
        with self.killer.lock:
            try:
                self.cuts += len(self.house.query(CUT.format(CUTS[self.cuts % 2])))
            except psycopg2.Error:
                self.house.forget_connections()

    # ------------------------------------------------------------------ heal
    def heal(self, seconds=240):
        """Let the service be well, and follow every attempt to its end.

        :return: whether nothing is left but what M-Pesa never executed
        """
        wire.post(self.house.simulator_url + "/_sim/faults", {"clear": True})
        self.house.maker.process.wait(120)
        return self.follow(seconds, self.may_still_be)

    def follow(self, seconds, choose):
        """Have every open attempt asked for until none is left; an import is left in peace.

        :param choose: a function that returns which of the open references have to end
        :return: whether all did in time
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.tend()
            try:
                if not self.house.query(IMPORTING)[0][0]:
                    letters, unfinished = self.house.query(UNFINISHED)[0]
                    unfinished = choose(unfinished)
                    self.house.query(HASTEN, [unfinished])
                    if not letters and not unfinished:
                        return True
            except psycopg2.Error:
                # a job was faster, or the database is just coming back
                self.house.forget_connections()
            time.sleep(HEALING)
        return False

    def may_still_be(self, unfinished):
        """Return the open references that M-Pesa has in its books, or that are yet to be sent."""
        known = {payment["id"] for payment in
                 wire.get(self.house.simulator_url + "/_sim/ledger")["payments"]}
        states = dict(self.house.query(
            "SELECT originator_id, state FROM soko_mpesa_attempt WHERE originator_id = ANY(%s)",
            [unfinished]))
        return [key for key in unfinished if key in known or states.get(key) in OPEN[:2]]

    # ------------------------------------------------------------------ statement
    def tell_by_statement(self, seconds=600):
        """Have an approver import the account's statement, and wait until nothing is open.

        Only a statement tells of what the service never executed and never refused, and of what
        it executed twice and told once.

        :return: whether nothing is left open
        """
        url = self.house.simulator_url
        # a last row, so that the statement covers all that was sent
        wire.post(url + "/_sim/float", {"amount": 1000})
        export = wire.read(url + "/_sim/statement.csv?style=portal")
        (self.house.arms / "statement.csv").write_bytes(export.encode())
        self.house.shell("statement.py")
        return self.follow(seconds, lambda unfinished: unfinished)

    # ------------------------------------------------------------------ audit
    def audit(self):
        """Return the auditor's verdict, with the add-on's own invariants."""
        url = self.house.simulator_url
        auditor = Auditor(wire.get(url + "/_sim/ledger"), wire.get(url + "/_sim/audit"),
                          self.house.query, script.CRIMES)
        verdict = auditor.compare()
        auditor.look_for_secrets((KEY, SECRET, CREDENTIAL), self.house.logs())
        printed = self.house.shell("verdict.py")
        line = next(line for line in printed.splitlines() if line.startswith("VERDICT "))
        for name, rows in json.loads(line.removeprefix("VERDICT ")).items():
            verdict.find(f"Odoo's own check: {name}: {rows} rows")
        return verdict


def report(campaign, verdict, healed):
    """Print what happened and return it as a dict."""
    faults, total = campaign.stats()
    copies = sum(number for name, number in faults.items()
                 if name.partition(":")[2] in script.COPIES)
    figures = {
        "seed": campaign.args.seed, "minutes": round(campaign.minutes(), 1), "faults": total,
        "copies": copies, "faults_by_name": faults, "kills": sum(campaign.killer.done.values()),
        "kills_by_point": {f"{point} {kind}": number for (point, kind), number
                           in sorted(campaign.killer.done.items())},
        "cuts": campaign.cuts, "missed": campaign.killer.missed,
        "restarts": campaign.house.restarts,
        "stops": campaign.stops, "freezes": campaign.freezes,
        "payouts": verdict.payouts, "requests": verdict.requests,
        "paid": verdict.paid, "not_paid": verdict.not_paid, "waiting": verdict.waiting,
        "explained": dict(verdict.explained), "double": verdict.double, "lost": verdict.lost,
        "unexplained": verdict.unexplained, "findings": verdict.findings, "healed": healed,
    }
    for name, number in faults.items():
        print(f"  {number:7}  {name}")
    for name, number in figures["kills_by_point"].items():
        print(f"  {number:7}  killed at {name}")
    for text in campaign.freezes[:5]:
        print(f"  frozen   {text}")
    for text in verdict.findings[:40]:
        print(f"  FOUND    {text}")
    print(f"seed {figures['seed']}, {figures['minutes']} minutes\n"
          f"faults injected   {total}, {copies} of them copies of letters\n"
          f"kills             {figures['kills']} ({figures['restarts']} more restarts)\n"
          f"connections cut   {campaign.cuts}\n"
          f"line stopped      {campaign.stops} times, frozen {len(campaign.freezes)} times\n"
          f"payouts           {verdict.payouts}: {verdict.paid} paid, {verdict.not_paid} not "
          f"paid, {verdict.waiting} still open\n"
          f"requests          {verdict.requests}\n"
          f"service's faults  {figures['explained'] or 'none'} (each ended with a person)\n"
          f"double            {verdict.double}\n"
          f"lost              {verdict.lost}\n"
          f"unexplained       {verdict.unexplained} KES\n"
          f"other findings    {len(verdict.findings)}", flush=True)
    return figures


def run(args):
    """Conduct a campaign and return the exit code."""
    args.seed = secrets.randbelow(10**6) if args.seed is None else args.seed
    say(f"campaign: seed {args.seed}, at least {args.faults} faults, {args.kills} kills, "
        f"{args.payouts} payouts" + (f", sabotage {args.sabotage}" if args.sabotage else ""))
    with House(args.seed, args.sabotage) as house:
        campaign = Campaign(args, house)
        campaign.storm()
        healed = campaign.heal() and campaign.tell_by_statement()
        figures = report(campaign, campaign.audit(), healed)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as stream:
            json.dump(figures, stream, indent=1)
    if figures["missed"]:
        print(f"points that were never reached: {figures['missed']}")
    bad = ("findings", "waiting", "missed", "double", "lost", "unexplained")
    good = healed and not any(figures[name] for name in bad)
    return 0 if good else 1


def main(words=None):
    """Run from the command line; one campaign of a checkout at a time."""
    args = arguments(words)
    terminable()
    paths.prepare()
    with open(paths.STATE / "campaign.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return run(args)
        except BlockingIOError:
            print("soko: another campaign of this checkout is running", file=sys.stderr)
        except Stop as error:
            print(f"soko: {error}", file=sys.stderr)
        except KeyboardInterrupt:
            print("soko: interrupted", file=sys.stderr)
    return 1
