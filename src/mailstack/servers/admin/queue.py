"""Mail that waits to leave, and what a person decides of it: as `mailstack queue` does."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from mailstack.formats.headers import first, scan_fields
from mailstack.formats.words import decode_words
from mailstack.model.delivery import QueueState
from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import QueueItemId
from mailstack.model.queue_entry import QueueEntry, QueueFilter
from mailstack.servers.admin.visit import Visit
from mailstack.servers.http.problem import BAD_REQUEST, NO_SUCH_PAGE, Refused
from mailstack.services.outbound.by_hand import Hand, drop

PATH = "/admin/queue"
MOST_SHOWN = 200
PAGE = 500
MOST_READ = 20_000
"""Of a longer queue, the oldest are looked through; `mailstack queue` looks through all."""
TOP_DOMAINS = 10
FILTERS = ("sender", "recipient", "domain", "reply")


async def show(visit: Visit) -> Response:
    given = {name: visit.request.query_params.get(name, "") for name in FILTERS}
    wanted = QueueFilter(
        sender=given["sender"], recipient=given["recipient"], domain=given["domain"], reply=given["reply"]
    )
    store, now = visit.service.store, visit.service.clock()
    figures = await store.queue.figures(now=now, domains=TOP_DOMAINS)
    return visit.page(
        "queue.html",
        PATH,
        entries=await _entries(visit, wanted),
        most=MOST_SHOWN,
        figures=figures,
        given=given,
    )


async def show_item(visit: Visit) -> Response:
    item_id = _number(visit.request.query_params.get("id", ""))
    queue, now = visit.service.store.queue, visit.service.clock()
    found = await queue.page(after=QueueItemId(item_id - 1), now=now, limit=1)
    if not found or found[0].item.item_id != item_id:
        raise Refused(NO_SUCH_PAGE)
    return visit.page("queue_item.html", PATH, entry=found[0], subject=await _subject(visit, found[0]))


async def act(visit: Visit) -> Response:
    """What is being attempted just now is left alone."""
    form = await visit.form()
    name, item_ids = form.get("act", [""])[0], [QueueItemId(_number(text)) for text in form.get("item", ())]
    if name not in _ACTS:
        raise Refused(BAD_REQUEST)
    done = await _ACTS[name](visit, item_ids)
    visit.note(f"{name} mail", items=[int(each) for each in item_ids], done=done)
    return visit.back_to(PATH)


async def _retry(visit: Visit, item_ids: Sequence[QueueItemId]) -> int:
    return await _put(visit, item_ids, was=QueueState.WAITING, state=QueueState.WAITING)


async def _hold(visit: Visit, item_ids: Sequence[QueueItemId]) -> int:
    return await _put(visit, item_ids, was=QueueState.WAITING, state=QueueState.HELD)


async def _release(visit: Visit, item_ids: Sequence[QueueItemId]) -> int:
    return await _put(visit, item_ids, was=QueueState.HELD, state=QueueState.WAITING)


async def _drop(visit: Visit, item_ids: Sequence[QueueItemId]) -> int:
    service = visit.service
    hand = Hand(
        queue=service.store.queue,
        notes=service.store.hand_notes,
        by=visit.admin.account.login,
        clock=service.clock,
    )
    return await drop(hand, item_ids)


async def _put(visit: Visit, item_ids: Sequence[QueueItemId], *, was: QueueState, state: QueueState) -> int:
    queue, now = visit.service.store.queue, visit.service.clock()
    return len(await queue.put(item_ids, was=was, state=state, now=now))


Act = Callable[[Visit, Sequence[QueueItemId]], Coroutine[Any, Any, int]]
_ACTS: Mapping[str, Act] = {"retry": _retry, "hold": _hold, "release": _release, "drop": _drop}


async def _entries(visit: Visit, wanted: QueueFilter) -> Sequence[QueueEntry]:
    queue, now = visit.service.store.queue, visit.service.clock()
    found: list[QueueEntry] = []
    after, read = QueueItemId(0), 0
    while read < MOST_READ and len(found) < MOST_SHOWN:
        entries = await queue.page(after=after, now=now, limit=PAGE)
        if not entries:
            break
        found.extend(filter(wanted.takes, entries))
        after, read = entries[-1].item.item_id, read + len(entries)
    return found[:MOST_SHOWN]


async def _subject(visit: Visit, entry: QueueEntry) -> str:
    try:
        found = first(scan_fields(await visit.service.store.queue.content(entry.item.mail_id)), b"subject")
    except (Damaged, NotFound) as fault:
        return f"unknown: {fault.detail}"
    return "" if found is None else decode_words(found)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(1 << 63)) - 1:
        raise Refused(BAD_REQUEST)
    return int(text)
