"""What could not be carried out, as a page tells it."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from mailstack.model.errors import TryAgainLater
from mailstack.servers.admin.templating import page
from mailstack.servers.admin.visit import Failed


def failed(fault: Failed | TryAgainLater) -> Response:
    """A part of a page, sent as one that is well: htmx shows no others."""
    return page("failed.html", {"problem": problem_of(fault)})


def problem_of(fault: Failed | TryAgainLater) -> Mapping[str, Any]:
    if isinstance(fault, TryAgainLater):
        return {"title": "Too much at a time", "detail": fault.detail, "faults": ()}
    return {"detail": "", "faults": (), **fault.problem}
