"""A Request object from JSON, or the problem that it is answered with as a whole. RFC 8620 §3.3, §3.6.1."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from mailstack.wire.jmap.arguments import is_id
from mailstack.wire.jmap.limits import JmapLimits

MAX_DEPTH = 128
"""Arrays and objects in each other. What is written may be as deep as this and the calls of a request together."""
# RFC 8259 §7
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class ProblemType(StrEnum):
    # RFC 8620 §3.6.1
    UNKNOWN_CAPABILITY = "urn:ietf:params:jmap:error:unknownCapability"
    NOT_JSON = "urn:ietf:params:jmap:error:notJSON"
    NOT_REQUEST = "urn:ietf:params:jmap:error:notRequest"
    LIMIT = "urn:ietf:params:jmap:error:limit"


class RequestProblem(Exception):
    """Ends a request. detail: for whoever writes the client. limit: the name of the one that was passed, "" else."""

    def __init__(self, type_: ProblemType, detail: str, *, limit: str = "") -> None:
        super().__init__(detail)
        self.type = type_
        self.detail = detail
        self.limit = limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """call_id: the client's own, which the response bears too. is_implied: it follows from a call of the client."""

    name: str
    arguments: Mapping[str, Any]
    call_id: str
    is_implied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """created: ids by creation id; None: not given, and then not asked for."""

    using: frozenset[str]
    calls: Sequence[Invocation]
    created: Mapping[str, str] | None


def parse_request(data: bytes, limits: JmapLimits, capabilities: Collection[str]) -> Request:
    """capabilities: all there are. Raises RequestProblem."""
    if len(data) > limits.request_octets:
        raise passed_limit("maxSizeRequest", limits.request_octets)
    return read_request(parse_json(data), limits, capabilities)


def read_request(found: object, limits: JmapLimits, capabilities: Collection[str]) -> Request:
    """found: JSON. As parse_request."""
    request = _request(found)
    unknown = request.using.difference(capabilities)
    if unknown:
        raise RequestProblem(ProblemType.UNKNOWN_CAPABILITY, f"not known here: {', '.join(sorted(unknown))}")
    if len(request.calls) > limits.calls_in_request:
        raise passed_limit("maxCallsInRequest", limits.calls_in_request)
    return request


def parse_json(data: bytes) -> Any:  # noqa: ANN401  # JSON, before it is looked at
    """I-JSON. Raises RequestProblem."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise RequestProblem(ProblemType.NOT_JSON, "the content is not JSON in UTF-8") from None
    members, depth = _measure(found)
    if depth > MAX_DEPTH:
        raise RequestProblem(ProblemType.NOT_REQUEST, f"nested deeper than {MAX_DEPTH} levels")
    # RFC 7493 §2.3: no name twice in one object. The parser keeps one of them, while the text has a colon for each.
    if _STRING.sub(b"", data).count(b":") != members:
        raise RequestProblem(ProblemType.NOT_JSON, "an object has the same name twice, which I-JSON forbids")
    return found


def passed_limit(name: str, most: int) -> RequestProblem:
    """name: as in the session object. most: what it is there."""
    return RequestProblem(ProblemType.LIMIT, f"{name} is {most}", limit=name)


def _measure(value: Any) -> tuple[int, int]:  # noqa: ANN401  # JSON, before it is looked at
    """How many members all objects have, and how deep they are in each other."""
    members = depth = 0
    level = [value]
    while level:
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                members += len(each)
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        level = [each for each in inner if isinstance(each, (dict, list))]
        depth += 1
    return members, depth


def _request(found: object) -> Request:
    # RFC 8620 §3.3; what else is in there is for extensions, and passed over.
    if not isinstance(found, dict):
        raise _not_request("the content is not an object")
    using, calls, created = found.get("using"), found.get("methodCalls"), found.get("createdIds")
    if not isinstance(using, list) or not all(isinstance(each, str) for each in using):
        raise _not_request("using is not an array of Strings")
    if not isinstance(calls, list):
        raise _not_request("methodCalls is not an array")
    if created is not None and not (
        isinstance(created, dict) and all(is_id(key) and is_id(value) for key, value in created.items())
    ):
        raise _not_request("createdIds is not an object of Ids, by Id")
    return Request(using=frozenset(using), calls=[_invocation(each) for each in calls], created=created)


def _invocation(found: object) -> Invocation:
    # RFC 8620 §3.2
    match found:
        case [str(name), dict(arguments), str(call_id)]:
            return Invocation(name=name, arguments=arguments, call_id=call_id)
    raise _not_request("a method call is not an array of a name, an object of arguments and a method call id")


def _not_request(detail: str) -> RequestProblem:
    return RequestProblem(ProblemType.NOT_REQUEST, detail)
