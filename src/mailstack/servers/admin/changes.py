"""Changes of the spec: shown as a diff, written where that is allowed, followed until they are applied, taken back."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import iso
from mailstack.servers.admin.entries import SECTIONS
from mailstack.servers.admin.failing import failed
from mailstack.servers.admin.templating import page
from mailstack.servers.admin.visit import Failed, Visit
from mailstack.servers.calls import CallKind
from mailstack.servers.http.problem import BAD_REQUEST, Refused

VALUE = "v."
"""Before the name of a key, in forms."""


async def propose(visit: Visit) -> Response:
    change = _change(await visit.form())
    try:
        found = await visit.told(CallKind.PROPOSAL, change)
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    section = SECTIONS[str(change["section"])]
    return page(
        "proposal.html", {"found": found, "lines": diff_lines(found["diff"]), "change": change, "section": section}
    )


async def write(visit: Visit) -> Response:
    form = await visit.form()
    change = _change(form)
    hashes = {name: _one(form, name) for name in ("before", "after")}
    what = {name: change[name] for name in ("section", "name")}
    visit.note("write spec", change=change["act"], keys=[*form.get("key", ())], **what)
    return await _written(visit, CallKind.WRITE, {**change, **hashes, "by": visit.admin.account.login})


async def undo(visit: Visit) -> Response:
    written = _one(await visit.form(), "written")
    visit.note("undo write of spec", written=written)
    return await _written(visit, CallKind.UNDO, {"written": written})


async def show_edits(visit: Visit) -> Response:
    try:
        edits = (await visit.told(CallKind.EDITS, {}))["edits"]
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    return page("edits.html", {"edits": [{**each, "lines": diff_lines(each["diff"])} for each in edits]})


async def show_applied(visit: Visit) -> Response:
    """Of a spec that was written: whether it is applied by now, or refused."""
    asked = visit.request.query_params
    summary = await visit.service.store.state.summary()
    if summary.spec_hash == asked.get("digest", ""):
        return page("applied.html", {"generation": summary.generation, "refusal": ""})
    reload = (visit.service.running() or {}).get("reload", {})
    if reload and not reload["ok"] and reload["at"] >= asked.get("since", ""):
        return page("applied.html", {"generation": summary.generation, "refusal": reload["message"]})
    return Response(status_code=204)  # what is shown stays, and is asked for again


def diff_lines(lines: Sequence[str]) -> Sequence[tuple[str, str]]:
    """Each a class of the style sheet, and the line."""
    return [(_kind_of(line), line) for line in lines]


def _kind_of(line: str) -> str:
    if line.startswith(("--- ", "+++ ", "@@ ")):
        return "place"
    return {"+": "added", "-": "removed"}.get(line[:1], "")


async def _written(visit: Visit, kind: CallKind, request: Mapping[str, object]) -> Response:
    since = iso(visit.service.clock())
    try:
        found = await visit.told(kind, request)
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    is_undone = kind is CallKind.UNDO
    shown = {"found": found, "lines": diff_lines(found["diff"]), "since": since, "is_undone": is_undone}
    return page("written.html", shown)


def _change(form: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """As a call has it. Raises Refused."""
    section = _one(form, "section")
    if section not in SECTIONS:
        raise Refused(BAD_REQUEST)
    # A box that is not ticked and a text that is empty are not in a form; `key` says what was asked for.
    values = {key: " ".join(form.get(f"{VALUE}{key}", ())) for key in form.get("key", ())}
    return {"act": _one(form, "act"), "section": section, "name": _one(form, "name"), "values": values}


def _one(form: Mapping[str, Sequence[str]], name: str) -> str:
    return form.get(name, [""])[0]
