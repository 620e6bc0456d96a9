"""The plan of the spec that lies on the server, what has drifted from it, and carrying it out under the same brakes."""

import shlex
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import escape
from starlette.responses import Response

from mailstack.model.errors import TryAgainLater
from mailstack.servers.admin.failing import failed, problem_of
from mailstack.servers.admin.templating import PAGE_SECURITY, page, rendered
from mailstack.servers.admin.visit import Failed, Visit, document, lines_of
from mailstack.servers.calls import Answer, CallKind
from mailstack.servers.http.streamed import Streamed

PATH = "/admin/plan"
HASHES = ("spec_hash", "live_hash", "plan_hash")
_PLACE_OF_STEPS = "<!-- steps -->"
ALLOW_DESTROY = "--allow-destroy"
SWITCHES: Mapping[str, tuple[str, str]] = {
    "--allow-last-admin": ("last_admin", "no account is to be an administrator afterwards"),
    "--allow-many": ("many", "so many are to go"),
    "--allow-foreign": ("foreign", "values that somebody else wrote are to go"),
}
"""By the option of `mailstack apply`: what it is in a request, and what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A box to tick."""

    name: str
    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStop:
    text: str
    options: Sequence[Option]


async def show(visit: Visit) -> Response:
    return visit.page("planning.html", PATH)


async def show_plan(visit: Visit) -> Response:
    try:
        found = await visit.told(CallKind.OWN_PLAN, {})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    return page("plan.html", {"found": found, "stops": [*_stops(found["plan"]["stops"])]})


async def show_drift(visit: Visit) -> Response:
    try:
        return page("drift.html", {"found": await visit.told(CallKind.OWN_DRIFT, {})})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)


async def apply(visit: Visit) -> Response:
    """A page that grows with each step."""
    form = await visit.form()
    expected = {name: form.get(name, [""])[0] for name in HASHES}
    allow = {"destroy": [*form.get("destroy", ())], **{name: name in form for name, _ in SWITCHES.values()}}
    visit.note("apply", plan=expected["plan_hash"], allow=allow)
    try:
        answer = await visit.call(CallKind.OWN_APPLY, {"expected": expected, "allow": allow})
    except TryAgainLater as fault:
        return visit.page("apply_failed.html", PATH, problem=problem_of(fault))
    if answer.status != 200:
        problem = await document(answer)
        await answer.close()
        return visit.page("apply_failed.html", PATH, problem=problem_of(Failed(problem)))
    headers = {"Content-Security-Policy": PAGE_SECURITY}
    return Streamed(_steps(visit, answer), answer.close, media_type="text/html", headers=headers)


async def _steps(visit: Visit, answer: Answer) -> AsyncIterator[str]:
    # The frame around them is written by the template, which knows the steps as one place.
    before, _, after = rendered("applying.html", {**visit.frame, "current": PATH}).partition(_PLACE_OF_STEPS)
    yield before
    async for step in lines_of(answer):
        for kind, text in _told(step):
            yield f'<li class="{kind}">{escape(text)}</li>\n'
    yield after


def _told(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each a class and a text."""
    if step["step"] == "Failed":
        yield "fault", f"Failed: {step['detail']}"
    elif step["step"] == "Applied":
        for name in step["waiting_for_dns"]:
            yield "warn", f"{name} is not seen in DNS yet; what needs it waits"
        yield "good", f"Applied: generation {step['generation']}"
    else:
        yield "", str(step.get("told", step["step"]))


def _stops(stops: Sequence[Mapping[str, Any]]) -> Iterator[ShownStop]:
    for stop in stops:
        option, *names = shlex.split(stop["release"])
        if option == ALLOW_DESTROY:
            options = [Option(name="destroy", value=name, label=f"{name} is to go, with its mail") for name in names]
        else:
            name, meaning = SWITCHES[option]
            options = [Option(name=name, value="yes", label=f"It is meant: {meaning}")]
        yield ShownStop(text=f"{stop['subject']} {stop['text']}", options=options)
