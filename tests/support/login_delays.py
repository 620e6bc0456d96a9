"""Delays of failed logins that take no time, and say how long they would have been."""

from mailstack.net.tally import Nobody
from mailstack.services.identity.delays import LoginDelays
from tests.support.fake_clock import FakeClock


def no_delays(waits: list[float] | None = None) -> LoginDelays:
    """waits: filled with seconds."""

    async def pass_by(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    return LoginDelays(FakeClock(), Nobody(), sleep=pass_by)
