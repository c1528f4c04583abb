"""What the reader of the story sees: a line for every event, and a verdict for every figure."""

import sys
import time


class Timeline:
    """Prints events as they happen and remembers every figure that disagreed."""

    def __init__(self, out=sys.stdout):
        self._out = out
        self._start = time.monotonic()
        self.checked = 0
        self.wrong = []

    def _line(self, mark, text):
        seconds = time.monotonic() - self._start
        print(f"{seconds:6.1f}s  {mark} {text}", file=self._out, flush=True)

    def act(self, title):
        """Open a new act of the story."""
        print(f"\n{title}", file=self._out, flush=True)

    def tell(self, who, text):
        """Say what somebody did."""
        self._line("  ", f"{who:<10} {text}")

    def expect(self, what, got, want):
        """Compare a figure with what it must be, and remember it when it differs."""
        self.checked += 1
        if got == want:
            self._line("ok", f"{what}: {got}")
        else:
            self.wrong.append(f"{what}: {got!r} instead of {want!r}")
            self._line("NO", self.wrong[-1])

    def expect_true(self, what, got):
        """Check something that is either so or not."""
        self.expect(what, bool(got), True)

    def verdict(self):
        """Print the closing lines; return the exit code (0 when every figure agrees)."""
        right = self.checked - len(self.wrong)
        print(f"\n{right} of {self.checked} figures agree.", file=self._out)
        for line in self.wrong:
            print(f"  wrong: {line}", file=self._out)
        self._out.flush()
        return 1 if self.wrong else 0
