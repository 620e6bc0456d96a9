"""A clock that a test moves by hand."""

from mailstack.model.instant import Instant


class FakeClock:
    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = Instant(now)

    def __call__(self) -> Instant:
        return self.now

    def advance(self, milliseconds: int) -> None:
        self.now = Instant(self.now + milliseconds)
