"""A whole request, and what is said to it: the same over HTTP and on a WebSocket. RFC 8620 §3.3 to §3.6."""

from typing import Any

from mailstack.model.principal import Account
from mailstack.servers.http.problem import Problem
from mailstack.servers.jmap.dispatch import responses_to
from mailstack.servers.jmap.method import Call
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.jmap.session import session_facts
from mailstack.wire.jmap.request import ProblemType, Request, RequestProblem

_TITLES = {
    ProblemType.UNKNOWN_CAPABILITY: "The request uses what is not known here",
    ProblemType.NOT_JSON: "The request is not JSON",
    ProblemType.NOT_REQUEST: "The request is not one of JMAP",
    ProblemType.LIMIT: "The request is over a limit",
}


async def answer_to(request: Request, service: JmapService, login: Account) -> dict[str, Any]:
    call = Call(service=service, login=login, using=request.using, created=dict(request.created or {}))
    responses = await responses_to(request.calls, call)
    # RFC 8620 §3.4: only who gave some is told which there are.
    created = {} if request.created is None else {"createdIds": call.created}
    facts = await session_facts(service, login)
    return {"methodResponses": responses, **created, "sessionState": facts.state}


def problem_told(fault: RequestProblem) -> Problem:
    more = {"limit": fault.limit} if fault.limit else {}
    return Problem(status=400, title=_TITLES[fault.type], detail=fault.detail, type=fault.type.value, more=more)
