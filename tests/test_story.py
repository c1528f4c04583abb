"""The story of one piece, on a whole running system: every figure of it must agree."""

import sys
from pathlib import Path

import pytest

STORY = Path(__file__).resolve().parent.parent / "tools" / "story"
sys.path.insert(0, str(STORY))

from acts import PRICE_TO_MAKER, Story  # noqa: E402
from browser import Browser  # noqa: E402
from outside import Postbox, Simulator  # noqa: E402
from patience import wait_until  # noqa: E402
from places import Places  # noqa: E402
from timeline import Timeline  # noqa: E402


@pytest.fixture
def new_story(soko_system, soko_browser):
    """A function that casts a new story on the running system."""
    places = Places.from_environment(soko_system.outside_environment())

    def cast():
        return Story(
            places,
            Timeline(),
            Browser(soko_browser),
            Simulator(places.simulator),
            Postbox(places.postbox),
        )

    return cast


def paid_by_provider(story):
    """Return the shillings that the provider's own books say were paid out."""
    return sum(int(payment["amount"]) for payment in story.simulator.payouts())


def test_the_maker_is_paid_and_again_with_the_same_totals(new_story):
    totals = []
    for _turn in range(2):
        story = new_story()
        before = paid_by_provider(story)
        story.play()
        assert story.line.wrong == []
        assert story.line.checked > 30
        totals.append(paid_by_provider(story) - before)
    assert totals == [PRICE_TO_MAKER, PRICE_TO_MAKER]


def test_a_lost_callback_is_found_by_the_status_query(new_story):
    story = new_story()
    before = paid_by_provider(story)
    story.simulator.lose_next_callback()
    story.play()
    assert story.line.wrong == []
    assert paid_by_provider(story) - before == PRICE_TO_MAKER


def test_while_the_provider_is_away_nothing_is_lost(new_story, soko_system):
    story = new_story()
    before = paid_by_provider(story)
    story.play_until_received()
    soko_system.simulator.stop()
    story.tap_received()
    story.settle()
    waiting = wait_until("the payout to wait for its provider", story.waiting_payout)
    assert waiting["state"] == "approved"
    assert not waiting["receipt"]
    soko_system.simulator.start()
    soko_system.simulator.wait()
    story.prove()
    assert story.line.wrong == []
    assert paid_by_provider(story) - before == PRICE_TO_MAKER
