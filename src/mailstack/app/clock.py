"""The machine's clock, for all who take a Clock."""

import time

from mailstack.model.instant import Instant


def system_clock() -> Instant:
    return Instant(time.time_ns() // 1_000_000)
