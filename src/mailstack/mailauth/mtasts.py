"""MTA-STS: when a policy is fetched, for how long it counts, and which hosts it allows. RFC 8461 §3.3, §4.1, §5.

Not how policies are written (formats.mta_sts), nor where they come from and are kept.
"""

from mailstack.model import host_pattern
from mailstack.model.instant import DAY_MS, MINUTE_MS, SECOND_MS, Instant
from mailstack.model.tls_policy import KnownStsPolicy, Sts, StsMode

RETRY_MS = 5 * MINUTE_MS  # RFC 8461 §3.3: a fetch that failed is not repeated for five minutes or more
REFRESH_MS = DAY_MS  # RFC 8461 §10.2: fetched anew well before it ends, or who can cut us off waits for that


def must_fetch(known: KnownStsPolicy | None, record_id: str | None, *, failed_at: Instant | None, now: Instant) -> bool:
    """record_id: of the record in DNS now, None without one. failed_at: when fetching it last did."""
    # RFC 8461 §3.1: without a record nothing is fetched; what is known goes on to count.
    if record_id is None:
        return False
    # What happened in the future was dated by a clock that was wrong, and holds up nothing.
    if failed_at is not None and failed_at <= now < failed_at + RETRY_MS:
        return False
    if known is None or known.policy_id != record_id:
        return True
    return not known.fetched_at <= now < refresh_at(known)


def refresh_at(known: KnownStsPolicy) -> Instant:
    return Instant(known.fetched_at + min(REFRESH_MS, known.policy.max_age_s * SECOND_MS // 2))


def policy_of(known: KnownStsPolicy | None, *, now: Instant) -> Sts | None:
    """What is to be done by it; None where nothing is."""
    if known is None or now >= expires_at(known):
        return None
    # RFC 8461 §5: "none" is as no policy.
    if known.policy.mode is StsMode.NONE:
        return None
    return Sts(domain=known.domain, is_testing=known.policy.mode is StsMode.TESTING, mx=known.policy.mx)


def expires_at(known: KnownStsPolicy) -> Instant:
    # RFC 8461 §3.2: max_age counts from when it was fetched last.
    return Instant(known.fetched_at + known.policy.max_age_s * SECOND_MS)


def allows(policy: Sts, host: str) -> bool:
    """host: of an MX record, as A-labels in lower case. RFC 8461 §4.1."""
    return any(host_pattern.covers(pattern, host) for pattern in policy.mx)
