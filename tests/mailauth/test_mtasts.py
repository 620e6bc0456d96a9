"""When MTA-STS policies are fetched, and for how long they count. RFC 8461 §3, §4.1, §5."""

from dataclasses import replace

import pytest

from mailstack.mailauth.mtasts import RETRY_MS, allows, must_fetch, policy_of
from mailstack.model.instant import DAY_MS, HOUR_MS, SECOND_MS, Instant
from mailstack.model.tls_policy import KnownStsPolicy, Sts, StsMode, StsPolicy

FETCHED = Instant(1_700_000_000_000)
WEEK = StsPolicy(mode=StsMode.ENFORCE, max_age_s=604_800, mx=("mx.example.com", "*.example.net"))
KNOWN = KnownStsPolicy(domain="example.com", policy_id="1", policy=WEEK, fetched_at=FETCHED)
ENFORCED = Sts(domain="example.com", is_testing=False, mx=WEEK.mx)
HOUR = replace(KNOWN, policy=replace(WEEK, max_age_s=3_600))


def later(milliseconds: int) -> Instant:
    return Instant(FETCHED + milliseconds)


@pytest.mark.parametrize(
    ("known", "record_id", "after_ms", "expected"),
    [
        (None, None, 0, False),
        (None, "1", 0, True),
        (KNOWN, "1", 0, False),
        (KNOWN, "1", DAY_MS - 1, False),
        (KNOWN, "1", DAY_MS, True),  # long before it ends
        (KNOWN, "2", 1, True),  # another policy
        (KNOWN, None, 30 * DAY_MS, False),
        (KNOWN, "1", -1, True),  # fetched in the future: by a clock that was wrong
        (HOUR, "1", HOUR_MS // 2 - 1, False),
        (HOUR, "1", HOUR_MS // 2, True),
        (replace(KNOWN, policy=replace(WEEK, max_age_s=0)), "1", 0, True),
    ],
)
def test_when_a_policy_is_fetched(
    known: KnownStsPolicy | None, record_id: str | None, after_ms: int, expected: bool
) -> None:
    assert must_fetch(known, record_id, failed_at=None, now=later(after_ms)) is expected


@pytest.mark.parametrize(("known", "record_id"), [(None, "1"), (KNOWN, "2"), (HOUR, "1")])
def test_what_failed_is_left_alone_for_a_while(known: KnownStsPolicy | None, record_id: str) -> None:  # §3.3
    failed_at = later(HOUR_MS)
    assert not must_fetch(known, record_id, failed_at=failed_at, now=Instant(failed_at + RETRY_MS - 1))
    assert must_fetch(known, record_id, failed_at=failed_at, now=Instant(failed_at + RETRY_MS))
    assert must_fetch(known, record_id, failed_at=Instant(failed_at + DAY_MS), now=failed_at)


def test_a_policy_counts_until_its_age_is_over() -> None:
    end = WEEK.max_age_s * SECOND_MS
    assert policy_of(KNOWN, now=later(end - 1)) == ENFORCED
    assert policy_of(KNOWN, now=later(end)) is None
    assert policy_of(None, now=FETCHED) is None


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(StsMode.ENFORCE, ENFORCED), (StsMode.TESTING, replace(ENFORCED, is_testing=True)), (StsMode.NONE, None)],
)
def test_its_mode_says_what_is_done(mode: StsMode, expected: Sts | None) -> None:
    assert policy_of(replace(KNOWN, policy=replace(WEEK, mode=mode)), now=FETCHED) == expected


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [("mx.example.com", True), ("a.example.net", True), ("example.net", False), ("mx2.example.com", False)],
)
def test_which_hosts_it_allows(host: str, is_allowed: bool) -> None:  # §4.1
    assert allows(ENFORCED, host) is is_allowed
