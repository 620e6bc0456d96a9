"""What `mailstack queue` says of recipients: which are meant, the values that JSON shows, and lines for people."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict

import click

from mailstack.cli.account_facts import Facts, size_text, told, when_text
from mailstack.cli.screen import counted
from mailstack.cli.suppress_facts import why_suppressed

if TYPE_CHECKING:
    from mailstack.model.instant import Instant
    from mailstack.model.queue_entry import QueueEntry, QueueFilter
    from mailstack.model.tls_policy import TlsUsed
    from mailstack.ports.store import Store

PAGE = 1_000
COLOURS = {"waiting": "yellow", "sending": "green", "held": "red"}


class Options(TypedDict, total=False):
    """What says which recipients are meant; everything: all of them."""

    ids: tuple[int, ...]
    mail_id: int | None
    statuses: tuple[str, ...]
    sender: str
    recipient: str
    domain: str
    trace_id: str
    reply: str
    older_than: timedelta | None
    everything: bool


def filter_of(options: Options, statuses: Sequence[str], *, now: "Instant") -> "QueueFilter":
    from mailstack.model.ids import MailId, QueueItemId
    from mailstack.model.instant import SECOND_MS, Instant
    from mailstack.model.queue_entry import QueueFilter, Status

    age, mail = options.get("older_than"), options.get("mail_id")
    return QueueFilter(
        item_ids=frozenset(map(QueueItemId, options.get("ids", ()))),
        mail_id=None if mail is None else MailId(mail),
        statuses=frozenset(map(Status, statuses)),
        sender=options.get("sender", ""),
        recipient=options.get("recipient", ""),
        domain=options.get("domain", ""),
        trace_id=options.get("trace_id", ""),
        reply=options.get("reply", ""),
        queued_before=None if age is None else Instant(now - int(age.total_seconds() * SECOND_MS)),
    )


async def entries(store: "Store", wanted: "QueueFilter", *, limit: int | None = None) -> "AsyncIterator[QueueEntry]":
    """Oldest first, a page in memory at a time."""
    from mailstack.model.ids import QueueItemId

    now, after, left = await store.now(), QueueItemId(0), limit
    while page := await store.queue.page(after=after, now=now, limit=PAGE):
        for entry in filter(wanted.takes, page):
            yield entry
            if left is not None and (left := left - 1) == 0:
                return
        after = page[-1].item.item_id


async def entry_of(store: "Store", item_id: int) -> "QueueEntry | None":
    from mailstack.model.ids import QueueItemId

    found = await store.queue.page(after=QueueItemId(item_id - 1), now=await store.now(), limit=1)
    return found[0] if found and found[0].item.item_id == item_id else None


def facts_of(entry: "QueueEntry") -> Facts:
    item = entry.item
    return {
        "id": item.item_id,
        "mail": item.mail_id,
        "status": entry.status.value,
        "sender": item.reverse_path,
        "recipient": item.recipient,
        "queued_at": when_text(item.queued_at),
        "due_at": None if entry.status.value == "held" else when_text(entry.due_at),
        "tries": item.tries,
        "last_reply": None if item.last_reply is None else str(item.last_reply),
        "last_host": item.last_host,
        "size_bytes": item.size_bytes,
        "priority": item.priority.name.lower(),
        "waits_for": item.waits_for,
        "trace": item.trace_id,
    }


async def whole_facts(store: "Store", entry: "QueueEntry") -> Facts:
    from mailstack.model.errors import Damaged

    item = entry.item
    try:
        subject = subject_of(await store.queue.content(item.mail_id))
    except Damaged as fault:
        subject = f"unknown: {fault.detail}"
    asked = item.notification.notify_on
    return {
        **facts_of(entry),
        **_tls_facts(item.last_tls),
        "last_source": "" if item.last_source is None else item.last_source.address,
        "last_ehlo": "" if item.last_source is None else item.last_source.name,
        "subject": subject,
        "notify": None if asked is None else sorted(asked) or ["never"],
        "envelope_id": item.handling.envelope_id,
        "requires_tls": item.handling.requires_tls,
        "suppressed": await why_suppressed(store, item.recipient),
    }


def _tls_facts(tls: "TlsUsed | None") -> Facts:
    return {
        "last_tls_policy": None if tls is None else tls.policy,
        "last_tls_least": None if tls is None else tls.least.value,
        "last_tls_version": "" if tls is None else tls.version,
        "last_tls_cipher": "" if tls is None else tls.cipher,
        "last_tls_failure": None if tls is None or tls.failure is None else tls.failure.value,
    }


def queue_lines(found: object) -> Iterator[str]:
    """found: as the API tells it; empty where nothing was applied yet."""
    if not isinstance(found, Mapping) or not found.get("mails"):
        yield "empty"
        return
    due = f" ({found['due']} due)" if found["due"] else ""
    waiting = f"{found['waiting']} waiting{due}"
    others = [f"{found[word]} {word}" for word in ("sending", "held") if found[word]]
    size = f"{counted(found['mails'], 'mail')}, {size_text(found['size_bytes'])}, the oldest of {found['oldest_at']}"
    yield f"{', '.join([waiting, *others])}; {size}"
    most = [f"{told('domain', domain)} {count}" for domain, count in found["domains"].items()]
    yield f"most for {', '.join(most)}"
    # An older server may be asked from afar.
    ages = [
        f"{name} {each['recipients']} since {each['oldest_at']}" for name, each in found.get("priorities", {}).items()
    ]
    if ages:
        yield f"by priority: {', '.join(ages)}"
    for each in found.get("held_back", ()):
        what = f"{told('destination', each['destination'])}: {counted(each['recipients'], 'recipient')} held back"
        yield f"{what}, next at {each['next_at']}: {told('reply', each['why'])}"


async def print_streamed(found: "AsyncIterator[QueueEntry]") -> None:
    """One JSON array, an entry a line, whatever its length."""
    opening = "[\n"
    async for entry in found:
        click.echo(opening + json.dumps(facts_of(entry), ensure_ascii=False), nl=False)
        opening = ",\n"
    click.echo("[]" if opening == "[\n" else "\n]")


def print_entry(facts: Facts) -> None:
    """Two lines: who to whom and when, and below it what was last said of it."""
    status = click.style(f"{facts['status']:7}", fg=COLOURS[facts["status"]])
    when = f"next {facts['due_at']}" if facts["status"] == "waiting" else f"since {facts['queued_at']}"
    ends = f"{told('sender', facts['sender'] or '<>')} -> {told('recipient', facts['recipient'])}"
    number = click.style(f"{facts['id']:8}", bold=True)
    click.echo(f"{number} {status} {when}  {ends}")
    if facts["last_reply"] is not None:
        tries = f"after {facts['tries']} {'try' if facts['tries'] == 1 else 'tries'}"
        host = f"{facts['last_host']}: " if facts["last_host"] else ""
        click.echo(click.style(f"{'':8} {tries}: {told('reply', host + facts['last_reply'])}", dim=True))


def subject_of(content: bytes) -> str:
    from mailstack.formats.headers import first, scan_fields
    from mailstack.formats.words import decode_words

    found = first(scan_fields(content), b"subject")
    return decode_words(found) if found is not None else ""
