"""An address of elsewhere that refuses our mail for good: what is remembered of it, and when nothing is sent to it.

Pure. docs/decisions/0027 says why a refusal has to come back on another day, and which ones count.
"""

from dataclasses import dataclass, replace

from mailstack.model.delivery import Failed, Outcome, SmtpReply
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.queue_entry import is_like

APART_MS = 20 * HOUR_MS
"""Between two refusals that count: what is sent daily counts each day, and an outage of an evening counts once."""
REMEMBERED_MS = 90 * DAY_MS
"""After the last refusal that counted, where they were too few."""
MAX_REPLY = 500

# RFC 3463 §3.2, §3.3: no such mailbox, moved, and disabled; X.1.10 as Exchange writes it of an unknown recipient. Not
# what concerns a domain or a mail (X.1.2, X.2.2, X.2.3, X.7.x), and not a 550 without a code, which may be any of them.
OF_THE_ADDRESS = frozenset({"5.1.1", "5.1.6", "5.1.10", "5.2.1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressRule:
    """after: so many refusals that count. for_ms: how long nothing is sent then."""

    after: int = 3
    for_ms: int = 30 * DAY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class BadAddress:
    """address: an Address.key. refusals: those that counted. since, last_at: the first and the last of them. reply: the
    last one; of one that was suppressed by hand, the reason. by: who did, "" where it was refused. ends_at: of what is
    remembered, None for never."""

    address: str
    refusals: int
    since: Instant
    last_at: Instant
    reply: str
    is_suppressed: bool
    ends_at: Instant | None
    by: str = ""

    def is_in_force(self, now: Instant) -> bool:
        """Whether nothing is sent to it."""
        return self.is_suppressed and not self.is_over(now)

    def is_over(self, now: Instant) -> bool:
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class BadAddressFilter:
    """All of what is given must hold; what is empty or None is not asked.

    addresses: Address.keys. pattern, domain: with * and ?. reply: part of what was said last, or of the reason.
    """

    addresses: frozenset[str] = frozenset()
    pattern: str = ""
    domain: str = ""
    reply: str = ""
    is_by_hand: bool | None = None

    def takes(self, bad: BadAddress) -> bool:
        return (
            (not self.addresses or bad.address in self.addresses)
            and is_like(bad.address, self.pattern)
            and is_like(bad.address.rpartition("@")[2], self.domain)
            and self.reply.casefold() in bad.reply.casefold()
            and self.is_by_hand in (None, bool(bad.by))
        )


def is_of_the_address(outcome: Outcome) -> bool:
    """Whether a server said, of this recipient alone, that there is nobody to have mail."""
    return isinstance(outcome, Failed) and outcome.is_of_recipient and outcome.reply.status in OF_THE_ADDRESS


def refused(
    known: BadAddress | None, address: str, reply: SmtpReply, *, now: Instant, rule: SuppressRule
) -> BadAddress | None:
    """What is known of it now; None: the refusal changes nothing."""
    if known is not None and known.is_over(now):
        known = None
    if known is not None and (known.is_suppressed or now - known.last_at < APART_MS):
        return None
    if known is None:
        known = BadAddress(
            address=address, refusals=0, since=now, last_at=now, reply="", is_suppressed=False, ends_at=now
        )
    refusals = known.refusals + 1
    is_suppressed = refusals >= rule.after
    return replace(
        known,
        refusals=refusals,
        last_at=now,
        reply=str(reply)[:MAX_REPLY],
        is_suppressed=is_suppressed,
        ends_at=Instant(now + (rule.for_ms if is_suppressed else REMEMBERED_MS)),
    )


def is_plain(path: str) -> bool:
    """Whether the Address.key of a path is its letters, lower-case: a database finds it then without us."""
    return path.isascii() and '"' not in path and not path.endswith(".")
