"""Mail that waits to leave, looked through as `mailstack queue list` does, a part at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from mailstack.formats.headers import first, scan_fields
from mailstack.formats.words import decode_words
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import QueueItemId
from mailstack.model.queue_entry import HeldBack, QueueEntry, QueueFilter, Status
from mailstack.servers.admin.visit import Visit
from mailstack.servers.http.problem import BAD_REQUEST, NO_SUCH_PAGE, Refused

PATH = "/admin/queue"
MOST_SHOWN = 200
PAGE = 500
MOST_READ = 20_000
"""Looked through for one page of what fits; the next page goes on from there."""
TOP_DOMAINS = 20
PATTERNS = ("sender", "recipient", "domain", "reply")
STATUS, AFTER = "status", "after"
FILTERS = (*PATTERNS, STATUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """after: where the next part goes on, None at the end."""

    entries: Sequence[QueueEntry]
    after: QueueItemId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One that has less than it might. held_back: None where nothing waits for it now. connections: of how many, "" for
    all."""

    name: str
    held_back: HeldBack | None
    connections: str
    why: str


async def show(visit: Visit) -> Response:
    given = given_of(visit.request.query_params)
    after = QueueItemId(number(visit.request.query_params.get(AFTER) or "0"))
    store, now = visit.service.store, visit.service.clock()
    figures = await store.queue.figures(now=now, domains=TOP_DOMAINS)
    part = await entries_of(visit, filter_of(given), after=after, most=MOST_SHOWN)
    return visit.page(
        "queue.html",
        PATH,
        part=part,
        is_first=not after,
        figures=figures,
        destinations=[*_destinations(figures.held_back, visit.service.running() or {})],
        given=given,
        patterns=PATTERNS,
        statuses=[*Status],
        first_page=path_of(given),
        next_page=None if part.after is None else path_of({**given, AFTER: str(part.after)}),
    )


async def show_item(visit: Visit) -> Response:
    item_id = number(visit.request.query_params.get("id", ""))
    queue, now = visit.service.store.queue, visit.service.clock()
    found = await queue.page(after=QueueItemId(item_id - 1), now=now, limit=1)
    if not found or found[0].item.item_id != item_id:
        raise Refused(NO_SUCH_PAGE)
    return visit.page("queue_item.html", PATH, entry=found[0], subject=await _subject(visit, found[0]))


def given_of(values: Mapping[str, str]) -> Mapping[str, str]:
    """What a person looks for, as it was typed."""
    return {name: values.get(name, "") for name in FILTERS}


def filter_of(given: Mapping[str, str]) -> QueueFilter:
    """Raises Refused."""
    try:
        statuses = frozenset({Status(given[STATUS])} if given[STATUS] else ())
    except ValueError:
        raise Refused(BAD_REQUEST) from None
    return QueueFilter(
        sender=given["sender"],
        recipient=given["recipient"],
        domain=given["domain"],
        reply=given["reply"],
        statuses=statuses,
    )


def path_of(given: Mapping[str, str]) -> str:
    """The page of what is looked for."""
    found = {name: value for name, value in given.items() if value}
    return f"{PATH}?{urlencode(found)}" if found else PATH


async def entries_of(visit: Visit, wanted: QueueFilter, *, after: QueueItemId, most: int) -> Part:
    queue, now = visit.service.store.queue, visit.service.clock()
    found: list[QueueEntry] = []
    read = 0
    while entries := await queue.page(after=after, now=now, limit=PAGE):
        for entry in entries:
            after = entry.item.item_id
            if wanted.takes(entry):
                found.append(entry)
                if len(found) == most:
                    return Part(entries=found, after=after if await _has_more(visit, after) else None)
        read += len(entries)
        if read >= MOST_READ:
            return Part(entries=found, after=after)
    return Part(entries=found, after=None)


def number(text: str) -> int:
    """Raises Refused."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(1 << 63)) - 1:
        raise Refused(BAD_REQUEST)
    return int(text)


async def _has_more(visit: Visit, after: QueueItemId) -> bool:
    return bool(await visit.service.store.queue.page(after=after, now=visit.service.clock(), limit=1))


def _destinations(held_back: Sequence[HeldBack], running: Mapping[str, Any]) -> Iterator[Destination]:
    """With those that have fewer connections than they might, as this node's workers say."""
    slowed = {str(each["destination"]): each for each in running.get("slowed") or ()}
    for each in held_back:
        of_node = slowed.pop(each.destination, None)
        yield Destination(name=each.destination, held_back=each, connections=_connections(of_node or {}), why=each.why)
    for name, of_node in slowed.items():
        yield Destination(name=name, held_back=None, connections=_connections(of_node), why=str(of_node.get("why")))


def _connections(slowed: Mapping[str, Any]) -> str:
    return f"{slowed['connections']} of {slowed['most']}" if slowed else ""


async def _subject(visit: Visit, entry: QueueEntry) -> str:
    try:
        found = first(scan_fields(await visit.service.store.queue.content(entry.item.mail_id)), b"subject")
    except (Damaged, NotFound) as fault:
        return f"unknown: {fault.detail}"
    return "" if found is None else decode_words(found)
