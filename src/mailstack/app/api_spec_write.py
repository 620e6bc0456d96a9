"""An administrator's change written into the spec where it lies, taken back again, and what was written so far.

What is applied of it is the running server's business, or the person's: reconcile.on_change says.
"""

from pathlib import Path

import structlog

from mailstack.app.answer_line import JSON, Line
from mailstack.app.api_models import UndoRequest, WriteRequest
from mailstack.app.api_process import Order
from mailstack.app.api_proposal import drafted, edits_of, why_not_written
from mailstack.app.api_turn import turn_to_apply
from mailstack.app.api_visit import own_spec
from mailstack.app.clock import system_clock
from mailstack.app.received import amend, settle
from mailstack.app.spec_draft import Draft, checked, hash_of, text_of
from mailstack.app.spec_files import Edit, forget_edit, keep_edit, read_edits, write_whole
from mailstack.model.errors import Conflict, Forbidden, NotFound
from mailstack.model.instant import Instant, iso
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import LoadedSpec

log = structlog.get_logger()

WHO = "the admin page, to write the spec"
FROM_AFAR = "This spec came by the API: put the change into it where it is kept as well, or the next apply is refused."


async def write(order: Order, request: WriteRequest, line: Line) -> None:
    """Just what was shown, or nothing. Raises Conflict, SpecInvalid, Forbidden."""
    async with turn_to_apply(order, WHO) as (store, _leave_turn):
        settle(order.store.folder, await store.state.summary())
        own = own_spec(Path(order.spec))
        draft = drafted(own, request)
        if (draft.before, draft.after) != (request.before, request.after):
            raise Conflict(f"{draft.file} has changed since the diff was shown; nothing was written, look at it again")
        edit = Edit(
            file=str(draft.file),
            former=draft.former,
            written=draft.after,
            at=system_clock(),
            by=request.by,
            what=f"{request.act} {request.name} ({request.section})",
            diff=draft.diff,
        )
        _put_in_place(order, own, draft, line, edit)


async def undo(order: Order, request: UndoRequest, line: Line) -> None:
    """A write of which the file is still as it left it. Raises NotFound, Conflict as well."""
    async with turn_to_apply(order, WHO) as (store, _leave_turn):
        settle(order.store.folder, await store.state.summary())
        storage = order.store.folder
        edit = next((each for each in reversed(read_edits(storage)) if each.written == request.written), None)
        if edit is None:
            raise NotFound("that write is not known any more, and is not taken back")
        own = own_spec(Path(order.spec))
        file = Path(edit.file)
        if file not in own.files or hash_of(now := text_of(file)) != edit.written:
            raise Conflict(f"{file} has changed since it was written from here; nothing was taken back")
        _put_in_place(order, own, Draft(file=file, former=now, new=edit.former), line, None)
        forget_edit(storage, edit)


def tell_edits(order: Order, line: Line) -> None:
    """The newest first. can_undo: the file is as it was written."""
    own = own_spec(Path(order.spec))
    now = {str(file): hash_of(text_of(file)) for file in own.files}
    line.begin(JSON)
    line.tell(
        edits=[
            {
                "file": edit.file,
                "what": edit.what,
                "by": edit.by,
                "at": iso(Instant(edit.at)),
                "diff": edit.diff,
                "written": edit.written,
                "can_undo": now.get(edit.file) == edit.written and not why_not_written(order, own, Path(edit.file)),
            }
            for edit in reversed(read_edits(order.store.folder))
        ]
    )


def _put_in_place(order: Order, own: LoadedSpec, draft: Draft, line: Line, edit: Edit | None) -> None:
    found = checked(own, draft)
    if found.faults:
        raise SpecInvalid(found.faults)
    if reason := why_not_written(order, own, draft.file):
        raise Forbidden(f"{reason}; nothing was written")
    storage = order.store.folder
    if edit is not None:
        keep_edit(storage, edit)
    try:
        is_from_afar = draft.file == own.path and amend(storage, draft.former.encode(), draft.new.encode())
        write_whole(draft.file, draft.new, former=draft.former)
    except BaseException:  # also of who is stopped: what is not written is not to be undone
        if edit is not None:
            forget_edit(storage, edit)
        raise
    event = "spec write undone" if edit is None else "spec written"
    log.info(event, file=str(draft.file), caller=order.caller, after=draft.after)
    line.begin(JSON)
    line.tell(
        digest=found.digest,
        file=str(draft.file),
        written=draft.after,
        diff=draft.diff,
        on_change=own.spec.reconcile.on_change,
        notes=[*edits_of(order, own, draft.file)["notes"], *([FROM_AFAR] if is_from_afar else ())],
    )
