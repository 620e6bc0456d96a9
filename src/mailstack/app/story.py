"""The life of a mail, out of the events that have its trace: from whom and to whom, what it came to, and each step.

Everything in it may have been chosen by a peer: whoever shows it escapes it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from mailstack.model.event_log import Event
from mailstack.model.instant import DAY_MS, Instant, iso
from mailstack.store.event_log.parts import goes_back_to, log_folder
from mailstack.store.event_log.reading import EventLog

STORIES = 50
EVENTS = 5_000
"""Of one mail. What it came to is what the last event of each recipient says, and each has one for every attempt."""
STEPS = 200
"""Shown of it."""
BEFORE_MS = 7 * DAY_MS
"""A mail that was named lately may have come so long ago."""

_ENDS = {
    "delivered": "delivered",
    "filtered": "delivered",
    "queued": "waiting",
    "deferred": "waiting",
    "sent": "sent",
    "failed": "failed",
    "held": "held",
    "dropped by hand": "dropped",
    "given up by hand": "failed",
}
"""What a recipient's last event means for the mail."""
_ORDER = ("failed", "waiting", "held", "dropped", "delivered", "sent")
_KINDS = {
    "refused": "fault",
    "failed": "fault",
    "given up by hand": "fault",
    "not stored": "fault",
    "deferred": "warn",
    "abandoned": "warn",
    "held": "warn",
    "dropped by hand": "warn",
    "filter failed": "warn",
    "accepted": "good",
    "delivered": "good",
    "filtered": "good",
    "sent": "good",
}
_OF_EVERY_LINE = ("event", "at", "level", "pid", "trace")
_TOLD_ELSEWHERE = (
    *("outcome", "peer", "code", "status", "text", "sender", "message_id"),
    *("recipient_count", "accepted_count", "refused_count", "deferred_count"),
)
"""Of a transaction: in the story, in the step's title, or in its recipients."""
_LABELS = {
    "ehlo": "EHLO",
    "tls_version": "TLS",
    "tls_cipher": "TLS cipher",
    "tls_policy": "TLS policy",
    "tls_least": "TLS asked for",
    "tls_failure": "TLS failure",
    "from_domain": "From domain",
    "iprev": "reverse name",
    "helo": "SPF of EHLO",
    "spf": "SPF",
    "spf_domain": "SPF domain",
    "dkim": "DKIM",
    "arc": "ARC",
    "dmarc": "DMARC",
    "policy": "DMARC policy",
    "ms": "milliseconds",
}
_TITLED = {
    "delivered": ("account", "mailbox"),
    "filtered": ("account", "actions"),
    "queued": ("recipients",),
    "sent": ("recipient", "host", "reply"),
    "deferred": ("recipient", "host", "reply"),
    "failed": ("recipient", "host", "reply"),
    "held": ("recipient",),
    "dropped by hand": ("recipient",),
    "given up by hand": ("recipient",),
    "scored": ("result", "score"),
    "not forwarded": ("address", "reason"),
}
"""By event: the facts that stand in its first line, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """kind: fault, warn, good or "". facts: what else is known, in order."""

    at: str
    kind: str
    title: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """at: of its first event. outcome: one or more words. reason: of a refusal, or the last reply."""

    trace: str
    at: str
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    outcome: str
    reason: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """events: of each story. goes_back_to: when this node's log begins, "" where it keeps none. is_cut: there are more
    stories, older ones."""

    stories: tuple[Story, ...]
    events: tuple[tuple[Event, ...], ...]
    goes_back_to: str
    is_cut: bool

    def document(self) -> dict[str, Any]:
        return {
            "goes_back_to": self.goes_back_to,
            "is_cut": self.is_cut,
            "stories": [asdict(story) for story in self.stories],
        }


def stories_of(storage: Path, what: str, *, since: Instant, until: Instant, limit: int = STORIES) -> Found:
    """what: a trace, an address, a login, a Message-ID. The last first. Raises TryAgainLater."""
    folder = log_folder(storage)
    asked = EventLog(folder)
    traces = asked.last_traces(
        what.strip().removeprefix("<").removesuffix(">"), since=since, until=until, limit=limit + 1
    )
    first = Instant(max(0, since - BEFORE_MS))
    lines = asked.of_traces(traces[:limit], since=first, until=until, limit=EVENTS)
    shown = [trace for trace, found in lines.items() if found]  # the others have become too old meanwhile
    events = tuple(tuple(orjson.loads(line) for line in lines[trace]) for trace in shown)
    begins = goes_back_to(folder)
    return Found(
        stories=tuple(story_of(trace, found) for trace, found in zip(shown, events, strict=True)),
        events=events,
        goes_back_to="" if begins is None else iso(begins),
        is_cut=len(traces) > limit,
    )


def story_of(trace: str, events: Sequence[Event]) -> Story:
    """events: in order; at least one."""
    # It is told when it has ended, and what it came to has been told by then.
    ordered = sorted(events, key=lambda event: event["event"] != "transaction")
    begun: Event = next((event for event in ordered if event["event"] in ("transaction", "queued")), ordered[0])
    sender = str(begun.get("sender", ""))
    outcome, reason = _outcome(ordered, sender)
    return Story(
        trace=trace,
        at=str(events[0]["at"]),
        sender=sender or str(next((event["account"] for event in events if event["event"] == "submitted"), "")),
        recipients=tuple(dict.fromkeys(_recipients(begun, ordered))),
        message_id=str(begun.get("message_id", "")),
        outcome=outcome,
        reason=reason,
        steps=tuple(_steps(trace, ordered)),
    )


def _recipients(begun: Event, events: Sequence[Event]) -> Iterator[str]:
    told = begun.get("recipients")
    if isinstance(told, list):
        yield from (str(each["address"] if isinstance(each, dict) else each) for each in told)
        return
    for event in events:
        yield from (str(event[name]) for name in ("recipient", "account") if event.get(name))


def _outcome(events: Sequence[Event], sender: str) -> tuple[str, str]:
    """With its reason."""
    for event in events:
        if event["event"] == "transaction" and event.get("outcome") != "accepted":
            reply = " ".join(str(event[name]) for name in ("code", "status", "text") if event.get(name))
            return str(event.get("outcome")), str(event.get("reason") or reply)
    ends: dict[str, str] = {}
    reason = ""
    for event in events:
        name = event["event"]
        if name not in _ENDS or _is_notice(event, sender):
            continue
        for whose in _whose(event):
            ends[whose] = _ENDS[name]
        if name in ("deferred", "failed"):
            reason = str(event.get("reply", ""))
    junk = ["junk"] if any(event.get("result") == "junk" for event in events if event["event"] == "scored") else []
    words = [word for word in _ORDER if word in ends.values()]
    return ", ".join([*words, *junk]) or "accepted", reason if "failed" in words or "waiting" in words else ""


def _is_notice(event: Event, sender: str) -> bool:
    """About the mail, to whoever sent it."""
    return bool(sender) and event.get("sender") == ""


def _whose(event: Event) -> Iterable[str]:
    told = event.get("recipients")
    return map(str, told) if isinstance(told, list) else (str(event.get("recipient") or event.get("account")),)


def _steps(trace: str, events: Sequence[Event]) -> Iterator[Step]:
    """How it began and how it ended, where there are too many."""
    left_out = events[STEPS // 2 : -STEPS // 2] if len(events) > STEPS else ()
    if not left_out:
        yield from map(_step, events)
        return
    yield from map(_step, events[: STEPS // 2])
    title = f"{len(left_out)} steps are left out here; `mailstack logs --trace {trace}` has them"
    yield Step(at=str(left_out[0]["at"]), kind="", title=title, facts=())
    yield from map(_step, events[-STEPS // 2 :])


def _step(event: Event) -> Step:
    name = str(event["event"])
    if name == "transaction":
        return _transaction(event)
    first = _TITLED.get(name, ())
    title = ": ".join(filter(None, (name, ", ".join(text for each in first if (text := _text(event.get(each)))))))
    return Step(
        at=str(event["at"]),
        kind=_KINDS.get(name) or ("warn" if event["level"] in ("warning", "error", "critical") else ""),
        title=f"notice, {title}" if event.get("sender") == "" and name in _ENDS else title,
        facts=tuple(_facts(event, without=first)),
    )


def _transaction(event: Event) -> Step:
    reply = " ".join(str(event[name]) for name in ("code", "status", "text") if event.get(name))
    outcome = str(event.get("outcome"))
    return Step(
        at=str(event["at"]),
        kind=_KINDS.get(outcome, ""),
        title=": ".join(filter(None, (f"{outcome} from {event.get('peer')}", reply))),
        facts=tuple(_facts(event, without=_TOLD_ELSEWHERE)),
    )


def _facts(event: Event, *, without: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name, value in event.items():
        if name not in _OF_EVERY_LINE and name not in without and (text := _text(value)):
            yield _LABELS.get(name, name.replace("_", " ")), text


def _text(value: object) -> str:
    """ "" for what says nothing."""
    if value is None or value == "" or value is False:
        return ""
    if isinstance(value, Mapping):
        return " ".join(filter(None, map(_text, value.values())))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_text, value)))
    return str(value)
