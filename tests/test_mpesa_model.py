"""Payouts as a stateful model: Hypothesis chooses the events, the simulator's ledger is the judge.

SOKO_MPESA_MODEL_EXAMPLES, SOKO_MPESA_MODEL_STEPS and SOKO_MPESA_MODEL_SEED make it larger or
another one; a failure prints the seed and the events.
"""

import json
import os
from pathlib import Path

import pytest
from soko import databases, paths, postgres

MACHINE = Path(__file__).with_name("mpesa_machine.py")


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """How often the model saw what, after a run without a contradiction."""
    paths.prepare()
    server = postgres.server()
    name = f"soko_e2e_model_{os.getpid()}"
    with server.hold():
        template = databases.ensure_template(server)
        with databases.copy_of(server, template, name), databases.Builder(
                server, name, "mpesa-model.log") as odoo:
            odoo.install("soko_mpesa")
            code = f"import runpy\nrunpy.run_path({str(MACHINE)!r})['main'](env)\n"
            printed = odoo.shell(
                code, "the model found a contradiction", SOKO_MODEL_TOOLS=str(paths.TOOLS),
                SOKO_MODEL_STATE=str(tmp_path_factory.mktemp("daraja")))
    lines = [line for line in printed.splitlines() if line.startswith("SEEN ")]
    assert lines and "FOUND " not in printed, printed[printed.find("FOUND "):]
    return json.loads(lines[-1].removeprefix("SEEN "))


def test_no_event_contradicts_the_ledger(seen):
    assert sum(seen.values()) > 200, seen


@pytest.mark.parametrize("event", [
    "pay", "pay bill", "action_approve", "freeze", "number", "send", "query", "kill", "sweep",
    "day", "fault", "letter", "ended paid", "ended cancelled",
])
def test_the_model_has_met(seen, event):
    assert seen.get(event), seen
