"""What a refused request is told: problem details as JSON, in general words. RFC 9457, RFC 9110 §15."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """title: the same for every case of this kind, as RFC 9457 §3.1.3 wants it. detail: what to do about this one.
    type: a URI, where the status does not say it all. more: further members (§3.2)."""

    status: int
    title: str
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Ends a request with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.title)
        self.problem = problem


def members_of(problem: Problem) -> dict[str, str | int]:
    members: dict[str, str | int] = {"type": problem.type} if problem.type else {}
    members |= {"title": problem.title, "status": problem.status, **problem.more}
    if problem.detail:
        members["detail"] = problem.detail
    return members


PROBLEM_PAGE = "problem_page"
"""In the state of a request, where a person reads the answer: what a problem and the request's id look like there."""


def problem_response(problem: Problem, request_id: str) -> Response:
    fields = members_of(problem)
    fields["request"] = request_id  # RFC 9457 §3.2: an extension, so that a report finds its line in the log
    return Response(
        orjson.dumps(fields), status_code=problem.status, headers=dict(problem.headers), media_type=MEDIA_TYPE
    )


BAD_REQUEST = Problem(status=400, title="The request cannot be understood")
NO_SUCH_PAGE = Problem(status=404, title="There is nothing here")
REQUEST_TIMEOUT = Problem(status=408, title="The request took too long to arrive")
CONTENT_TOO_LARGE = Problem(status=413, title="The content is too large")
URI_TOO_LONG = Problem(status=414, title="The address is too long")
# RFC 9110 §15.5.20: asked of a server that does not answer for that name.
MISDIRECTED = Problem(status=421, title="This host does not answer for that name")
TOO_MANY_CONNECTIONS = Problem(
    status=429, title="Too many connections from this address", headers={"Retry-After": "10"}
)
TOO_MANY_STREAMS = Problem(status=429, title="Too many streams of this account", headers={"Retry-After": "30"})
HEAD_TOO_LARGE = Problem(status=431, title="The header fields are too large")
SERVER_BUG = Problem(status=500, title="Internal error")
NOT_IMPLEMENTED = Problem(status=501, title="There is no such method")
UNKNOWN_CODING = Problem(status=501, title="Content arrives as it is, or in chunks of that")
TOO_BUSY = Problem(status=503, title="Too many requests at a time", headers={"Retry-After": "5"})
VERSION_NOT_SUPPORTED = Problem(status=505, title="Only HTTP/1.1 and HTTP/1.0 are spoken here")
