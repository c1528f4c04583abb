"""A short campaign, and the proof that it notices a sender that is broken on purpose."""

import json
import subprocess

from soko import paths

PROGRAM = paths.TOOLS / "campaign"


def campaign(folder, *options):
    """Return (exit code, figures, what was printed) of a campaign."""
    figures = folder / "figures.json"
    result = subprocess.run(
        [str(paths.venv_python()), str(PROGRAM), "--json", str(figures), "--minutes", "15",
         *options], capture_output=True, text=True, timeout=1200, check=False)
    assert figures.exists(), result.stdout + result.stderr
    return result.returncode, json.loads(figures.read_text()), result.stdout


def test_a_short_campaign_ends_with_zeros(tmp_path):
    code, figures, printed = campaign(
        tmp_path, "--seed", "19", "--faults", "400", "--kills", "13", "--payouts", "50",
        "--crimes", "0.03")
    assert (figures["double"], figures["lost"], figures["unexplained"]) == (0, 0, 0), printed
    assert figures["findings"] == []
    assert code == 0, printed
    assert figures["kills"] == 13
    assert {name.split()[0] for name in figures["kills_by_point"]} == {
        f"K{number}" for number in range(13)}
    assert len({name.partition(" ")[2] for name in figures["kills_by_point"]}) == 3
    assert figures["faults"] >= 400
    assert figures["paid"] >= 30
    assert figures["requests"] >= figures["paid"]
    assert figures["cuts"] == 6
    assert figures["explained"], "the service did wrong, and a person was called each time"
    web = (paths.LOGS / "campaign-web.log").read_text(errors="replace")
    assert "INSERT INTO soko_mpesa_inbox" not in web, "copies of a letter are no errors"


def test_it_notices_when_the_claim_is_not_committed(tmp_path):
    code, figures, printed = campaign(
        tmp_path, "--seed", "19", "--faults", "40", "--kills", "3", "--payouts", "20",
        "--points", "K8,K9,K10", "--crimes", "0", "--sabotage", "no-claim-commit")
    assert code == 1
    assert figures["double"] > 0, printed
    assert figures["unexplained"] > 0
