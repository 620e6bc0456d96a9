"""What could not be carried out, as a page tells it."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from mailstack.model.errors import TryAgainLater
from mailstack.servers.admin.templating import page
from mailstack.servers.admin.visit import Failed
from mailstack.servers.http.problem import Problem


def failed(fault: Failed | TryAgainLater) -> Response:
    """A part of a page."""
    return page("failed.html", {"problem": problem_of(fault)})


def part_of_page(problem: Problem, request_id: str) -> Response:
    detail = f"{problem.detail} The server's log has more of it, as request {request_id}.".lstrip()
    shown = {"title": problem.title, "detail": detail, "faults": ()}
    return page("failed.html", {"problem": shown}, status=problem.status)


def whole_page(problem: Problem, request_id: str) -> Response:
    """With a way back, for whoever has come to it by an address or a form."""
    return page("error.html", {"problem": problem, "request_id": request_id}, status=problem.status)


def problem_of(fault: Failed | TryAgainLater) -> Mapping[str, Any]:
    if isinstance(fault, TryAgainLater):
        return {"title": "Try again in a moment", "detail": fault.detail, "faults": ()}
    return {"detail": "", "faults": (), **fault.problem}
