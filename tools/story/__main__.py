"""Tell the story of one piece against a running system, and check every figure of it.

    ./soko story                     play it once
    ./soko story --lose-callback     the provider's answer is lost on the way; the query finds it
    ./soko story --pictures DIR      keep a picture of each page
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))

from acts import Story  # noqa: E402
from browser import NoBrowserError, open_browser  # noqa: E402
from outside import Postbox, Simulator  # noqa: E402
from patience import TooLate  # noqa: E402
from places import NowhereError, Places  # noqa: E402
from timeline import Timeline  # noqa: E402
from web_client import OfficeError  # noqa: E402


def read_arguments(argv):
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="soko story", description=__doc__.splitlines()[0])
    parser.add_argument("--lose-callback", action="store_true", help="lose the payout's result")
    parser.add_argument("--pictures", metavar="DIR", help="keep a screenshot of each page there")
    return parser.parse_args(argv)


def play(options, places):
    """Play the story; return the exit code."""
    simulator, timeline = Simulator(places.simulator), Timeline()
    if options.lose_callback:
        simulator.lose_next_callback()
        timeline.tell("network", "the provider's next answer will be lost on the way")
    with open_browser(options.pictures) as browser:
        story = Story(places, timeline, browser, simulator, Postbox(places.postbox))
        try:
            story.play()
            if options.pictures:
                story.show_office()
        except Exception:
            folder = browser.keep_failure(os.environ.get("SOKO_FAILURES_DIR", "failures"))
            print(f"\nThe story stopped here; pages as they were: {Path(folder).resolve()}")
            raise
    return timeline.verdict()


def main(argv):
    """Run the command; the exit code is 0 only when every figure agrees."""
    options = read_arguments(argv)
    try:
        return play(options, Places.from_environment())
    except (NowhereError, NoBrowserError, OfficeError, TooLate) as error:
        print(f"story: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
