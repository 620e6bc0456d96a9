"""How often codes are sent: so many within an hour, for each account."""

from mailstack.model.ids import AccountId
from mailstack.model.instant import HOUR_MS
from mailstack.services.push.rate import PushRate
from tests.support.fake_clock import FakeClock

ALICE, BOB = AccountId("a" * 16), AccountId("b" * 16)


def test_so_many_within_an_hour() -> None:
    clock = FakeClock()
    rate = PushRate(clock, most=2)
    assert [rate.may_ask(ALICE) for _ in range(3)] == [True, True, False]
    assert rate.may_ask(BOB)
    clock.advance(HOUR_MS)
    assert rate.may_ask(ALICE)


def test_a_clock_that_is_set_back_holds_nobody_up() -> None:
    clock = FakeClock()
    rate = PushRate(clock, most=1)
    assert rate.may_ask(ALICE)
    clock.advance(-1)
    assert rate.may_ask(ALICE)
