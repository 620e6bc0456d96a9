"""What a person decides of mail that waits to leave, as `mailstack queue` does it; what cannot be undone is asked once
more."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from mailstack.model.delivery import QueueState
from mailstack.model.ids import QueueItemId
from mailstack.model.queue_entry import QueueEntry
from mailstack.servers.admin.notices import Counts
from mailstack.servers.admin.queue import FILTERS, PATH, entries_of, filter_of, given_of, number, path_of
from mailstack.servers.admin.templating import counted
from mailstack.servers.admin.visit import Visit
from mailstack.servers.http.problem import BAD_REQUEST, Refused
from mailstack.services.outbound.by_hand import Hand, Returned, drop, give_back

BATCH = 500
MOST_AT_ONCE = 20_000
"""Of all that fit; of more, the oldest, and the next time the next."""
SHOWN = 10
OWNER_BYTES = 8
YES = "yes"


async def act(visit: Visit) -> Response:
    """What is being attempted just now is left alone."""
    form = await visit.form()
    name = form.get("act", [""])[0]
    if name not in _ACTS:
        raise Refused(BAD_REQUEST)
    given = given_of({each: form.get(each, [""])[0] for each in FILTERS})
    is_all = form.get("all") == [YES]
    numbers = [QueueItemId(number(text)) for text in form.get("item", ())]
    item_ids = await _all_that_fit(visit, given) if is_all else numbers
    if not item_ids:
        return visit.back_to(path_of(given), "none")
    if (is_all or _ACTS[name].is_final) and form.get("confirmed") != [YES]:
        return await _ask(visit, name, item_ids, given, is_all=is_all)
    found = await _acted(visit, _ACTS[name], item_ids)
    visit.note(f"{name} mail", items=item_ids[:BATCH], meant=len(item_ids), done=found.items)
    counts = Counts(done=found.items, left=len(item_ids) - found.items, notices=found.notices)
    return visit.back_to(path_of(given), name, counts)


async def _acted(visit: Visit, wanted: "Act", item_ids: Sequence[QueueItemId]) -> Returned:
    found = [await wanted.carry_out(visit, item_ids[start : start + BATCH]) for start in range(0, len(item_ids), BATCH)]
    return Returned(items=sum(each.items for each in found), notices=sum(each.notices for each in found))


async def _ask(
    visit: Visit, name: str, item_ids: Sequence[QueueItemId], given: Mapping[str, str], *, is_all: bool
) -> Response:
    return visit.page(
        "queue_confirm.html",
        PATH,
        act=name,
        question=_ACTS[name].question.format(counted(len(item_ids), "recipient")),
        answer=_ACTS[name].answer,
        is_final=_ACTS[name].is_final,
        shown=await _entries(visit, item_ids[:SHOWN]),
        more=max(len(item_ids) - SHOWN, 0),
        items=() if is_all else item_ids,
        given=given,
        back=path_of(given),
    )


async def _all_that_fit(visit: Visit, given: Mapping[str, str]) -> Sequence[QueueItemId]:
    wanted, after = filter_of(given), QueueItemId(0)
    found: list[QueueItemId] = []
    while len(found) < MOST_AT_ONCE:
        part = await entries_of(visit, wanted, after=after, most=BATCH)
        found += [entry.item.item_id for entry in part.entries]
        if part.after is None:
            break
        after = part.after
    return found[:MOST_AT_ONCE]


async def _entries(visit: Visit, item_ids: Sequence[QueueItemId]) -> Sequence[QueueEntry]:
    """Those that are there."""
    queue, now = visit.service.store.queue, visit.service.clock()
    found = [await queue.page(after=QueueItemId(item_id - 1), now=now, limit=1) for item_id in item_ids]
    return [page[0] for item_id, page in zip(item_ids, found, strict=True) if page and page[0].item.item_id == item_id]


async def _retry(visit: Visit, item_ids: Sequence[QueueItemId]) -> Returned:
    return await _put(visit, item_ids, was=QueueState.WAITING, state=QueueState.WAITING)


async def _hold(visit: Visit, item_ids: Sequence[QueueItemId]) -> Returned:
    return await _put(visit, item_ids, was=QueueState.WAITING, state=QueueState.HELD)


async def _release(visit: Visit, item_ids: Sequence[QueueItemId]) -> Returned:
    return await _put(visit, item_ids, was=QueueState.HELD, state=QueueState.WAITING)


async def _bounce(visit: Visit, item_ids: Sequence[QueueItemId]) -> Returned:
    owner = f"by hand {secrets.token_hex(OWNER_BYTES)}"
    return await give_back(_hand(visit), visit.service.reporter, item_ids, owner=owner)


async def _drop(visit: Visit, item_ids: Sequence[QueueItemId]) -> Returned:
    return Returned(items=await drop(_hand(visit), item_ids))


async def _put(visit: Visit, item_ids: Sequence[QueueItemId], *, was: QueueState, state: QueueState) -> Returned:
    queue, now = visit.service.store.queue, visit.service.clock()
    return Returned(items=len(await queue.put(item_ids, was=was, state=state, now=now)))


def _hand(visit: Visit) -> Hand:
    store = visit.service.store
    return Hand(queue=store.queue, notes=store.hand_notes, by=visit.admin.account.login, clock=visit.service.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """is_final: cannot be undone, and is always asked. question: with a place for how many; answer: on the button."""

    carry_out: Callable[[Visit, Sequence[QueueItemId]], Awaitable[Returned]]
    question: str
    answer: str
    is_final: bool = False


_ACTS: Mapping[str, Act] = {
    "retry": Act(carry_out=_retry, question="Try {} now?", answer="Try now"),
    "hold": Act(carry_out=_hold, question="Hold {}?", answer="Hold"),
    "release": Act(carry_out=_release, question="Release {}?", answer="Release"),
    "bounce": Act(carry_out=_bounce, question="Give up {} and tell the sender?", answer="Give up", is_final=True),
    "drop": Act(carry_out=_drop, question="Remove {} and tell nobody?", answer="Drop", is_final=True),
}
