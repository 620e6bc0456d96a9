"""What an entry of the server's own spec says and where, and what a changed one would look like, as a diff."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mailstack.app.account_owners import owners_of
from mailstack.app.answer_line import JSON, Line
from mailstack.app.api_line import opened_store
from mailstack.app.api_models import ChangeRequest, EntryRequest
from mailstack.app.api_process import Order
from mailstack.app.api_visit import own_spec
from mailstack.app.silence import Silence
from mailstack.app.spec_draft import Draft, checked, draft_of, entry_path
from mailstack.app.spec_files import why_not_writable, work_tree
from mailstack.model.errors import NotFound
from mailstack.model.resource import Kind
from mailstack.spec.editable import ACCOUNTS, NULL, OF_NEW, Key, default_of, keys_of, words_of
from mailstack.spec.faults import Place
from mailstack.spec.load import LoadedSpec

DEFAULTS = ("defaults", "account")


async def tell_entry(order: Order, request: EntryRequest, line: Line) -> None:
    """name: "" for what is asked of a new one."""
    own = own_spec(Path(order.spec))
    if not request.name:
        keys = keys_of(request.section)
        rows = [_row(own, (request.section, ""), keys[name]) for name in OF_NEW[request.section]]
        line.begin(JSON)
        line.tell(rows=rows, mode=own.spec.reconcile.admin_edits)
        return
    path = require_entry(own, request)
    async with opened_store(order, Silence(), read_only=True) as store:
        snapshot = await store.state.snapshot([Kind.ACCOUNT] if request.section == ACCOUNTS else ())
    resource = snapshot.resources.get((Kind.ACCOUNT, request.name))
    owners = owners_of(request.name, resource, own) if request.section == ACCOUNTS else {}
    line.begin(JSON)
    line.tell(
        where=_shown(own.locator.place(path)),
        rows=[_row(own, path, key) for key in keys_of(request.section).values()],
        password=owners.get("password"),
        mode=own.spec.reconcile.admin_edits,
        is_applied=own.digest == snapshot.spec_hash,
    )


def propose(order: Order, request: ChangeRequest, line: Line) -> None:
    """faults: those that the spec would have then."""
    own = own_spec(Path(order.spec))
    draft = drafted(own, request)
    found = checked(own, draft)
    line.begin(JSON)
    line.tell(
        file=str(draft.file),
        diff=draft.diff,
        faults=[str(fault) for fault in found.faults],
        before=draft.before,
        after=draft.after,
        **edits_of(order, own, draft.file),
    )


def drafted(own: LoadedSpec, request: ChangeRequest) -> Draft:
    if request.act != "add":
        require_entry(own, request)
    return draft_of(own, request)


def require_entry(own: LoadedSpec, request: EntryRequest) -> tuple[str, ...]:
    """As the file spells it. Raises NotFound."""
    path = entry_path(own, request.section, request.name)
    if not own.locator.says(path):
        raise NotFound(f"{request.name} is not in the spec any more")
    return path


def edits_of(order: Order, own: LoadedSpec, file: Path) -> dict[str, Any]:
    """can_write: whether that file may be written from here; why_not: in words. notes: what to know before."""
    mode = own.spec.reconcile.admin_edits
    why_not = why_not_written(order, own, file)
    return {
        "mode": mode,
        "can_write": mode == "write" and not why_not,
        "why_not": why_not if mode == "write" else "",
        "notes": [*_notes(order, file)],
    }


def why_not_written(order: Order, own: LoadedSpec, file: Path) -> str:
    if own.spec.reconcile.admin_edits != "write":
        return "reconcile.admin_edits does not let it be written from here"
    return "a sandbox never writes the spec that it runs" if order.sandbox is not None else why_not_writable(file)


def _notes(order: Order, file: Path) -> Iterator[str]:
    tree = work_tree(file)
    if tree is not None:
        folder, branch = tree
        on = f", on branch {branch}" if branch else ""
        yield f"{folder} is a Git work tree{on}: what is written there is not committed, which is for you to do."
    if order.store.database:
        yield "Several nodes may serve this spec: only this one's file is written, and each of the others has its own."


def _row(own: LoadedSpec, path: tuple[str, ...], key: Key) -> dict[str, Any]:
    """where: None for a default. is_own: said of this very entry."""
    whole, inherited = (*path, *key.path), (*DEFAULTS, *key.path)
    is_own = own.locator.says(whole)
    if is_own or (key.section == ACCOUNTS and own.locator.says(inherited)):
        said = whole if is_own else inherited
        value, where = own.locator.value(said), _shown(own.locator.place(said))
        words = [NULL] if value is None else words_of(key, value)
    else:
        where, words = None, words_of(key, default_of(key))
    return {
        "key": key.name,
        "words": words,
        "where": where,
        "is_own": is_own,
        "form": key.form.value,
        "choices": key.choices,
        "hint": key.hint,
        "can_be_null": key.can_be_null,
        "is_required": key.is_required,
    }


def _shown(place: Place) -> str:
    return f"{place.file}:{place.line}"
