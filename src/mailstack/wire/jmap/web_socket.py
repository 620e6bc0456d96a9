"""Messages of JMAP on a WebSocket. RFC 8887 §4.3."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mailstack.model.states import ALL_TYPES, AccountStates, StateType
from mailstack.wire.jmap.event_stream import types_named
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.request import ProblemType, Request, RequestProblem, parse_json, passed_limit, read_request
from mailstack.wire.jmap.state_change import state_change, write_known

PROTOCOL = "jmap"


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRequest:
    """request_id: the client's own, which the answer bears too; None where it gave none."""

    request_id: str | None
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class PushEnable:
    """push_state: how far the client says it is."""

    types: frozenset[StateType]
    push_state: str | None


@dataclass(frozen=True, slots=True)
class PushDisable:
    pass


SocketMessage = SocketRequest | PushEnable | PushDisable


class SocketProblem(Exception):
    """A message that cannot be met."""

    def __init__(self, request_id: str | None, problem: RequestProblem) -> None:
        super().__init__(problem.detail)
        self.request_id = request_id
        self.problem = problem


def parse_message(data: bytes, limits: JmapLimits, capabilities: Collection[str]) -> SocketMessage:
    """Raises SocketProblem."""
    request_id: str | None = None
    try:
        if len(data) > limits.request_octets:
            raise passed_limit("maxSizeRequest", limits.request_octets)
        found = parse_json(data)
        if not isinstance(found, dict):
            raise _not_known("the message is not an object")
        given = found.get("id")
        if isinstance(given, str):
            request_id = given
        return _message(found, request_id, limits, capabilities)
    except RequestProblem as problem:
        raise SocketProblem(request_id, problem) from None


def response(answer: Mapping[str, Any], request_id: str | None) -> Mapping[str, Any]:
    # RFC 8887 §4.3.2
    return {"@type": "Response", **({} if request_id is None else {"requestId": request_id}), **answer}


def request_error(problem: Mapping[str, Any], request_id: str | None) -> Mapping[str, Any]:
    """problem: the members of RFC 9457. RFC 8887 §4.3.3: null where the id is not known."""
    return {"@type": "RequestError", "requestId": request_id, **problem}


def pushed(changed: AccountStates, known: AccountStates) -> bytes:
    # RFC 8887 §4.3.5.1
    return orjson.dumps({**state_change(changed), "pushState": write_known(known)})


def _message(
    found: Mapping[str, Any], request_id: str | None, limits: JmapLimits, capabilities: Collection[str]
) -> SocketMessage:
    match found.get("@type"):
        case "Request":
            if found.get("id") is not None and request_id is None:
                raise _not_known("id is not a String")
            return SocketRequest(request_id=request_id, request=read_request(found, limits, capabilities))
        case "WebSocketPushEnable":
            return _push_enable(found)
        case "WebSocketPushDisable":
            return PushDisable()
    raise _not_known("@type is neither Request, WebSocketPushEnable nor WebSocketPushDisable")


def _push_enable(found: Mapping[str, Any]) -> PushEnable:
    names, push_state = found.get("dataTypes"), found.get("pushState")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise _not_known("dataTypes is neither an array of Strings nor null")
    if push_state is not None and not isinstance(push_state, str):
        raise _not_known("pushState is not a String")
    return PushEnable(types=ALL_TYPES if names is None else types_named(*names), push_state=push_state)


def _not_known(detail: str) -> RequestProblem:
    return RequestProblem(ProblemType.NOT_REQUEST, detail)
