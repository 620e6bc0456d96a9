"""JMAP: any bytes become a request or a problem; patches and references of any JSON end in a value or a fault."""

from contextlib import suppress

import orjson

from mailstack.wire.jmap.faults import MethodFault, NotSet
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.patch import apply_patch
from mailstack.wire.jmap.references import Results
from mailstack.wire.jmap.request import RequestProblem, parse_json, parse_request
from mailstack.wire.jmap.session import CORE
from mailstack.wire.jmap.state_change import read_known, write_known
from tests.fuzz.target import Target

_OCTETS = 10_000


def _request(data: bytes) -> None:
    with suppress(RequestProblem):
        request = parse_request(data, JmapLimits(), {CORE})
        results = Results(octets=_OCTETS)
        for call in request.calls:
            with suppress(MethodFault):
                found = results.resolve(call.arguments)
                assert not any(name.startswith("#") for name in found) or "##" in data.decode()
                orjson.dumps(found)
                results.add(call.name, found, call.call_id)


def _patch(data: bytes) -> None:
    with suppress(RequestProblem, NotSet):
        found = parse_json(data)
        if isinstance(found, dict):
            written = orjson.dumps(found)
            orjson.dumps(apply_patch(found, found))
            assert orjson.dumps(found) == written


def _known(data: bytes) -> None:
    known = read_known(data.decode("latin-1"))
    if known is not None:
        assert read_known(write_known(known)) == known


_CALLS = b"""{"using": ["urn:ietf:params:jmap:core"], "createdIds": {"a": "b"}, "methodCalls": [
["Core/echo", {"list": [{"ids": ["a", "b"]}, {"ids": ["c"]}]}, "c1"],
["Core/echo", {"#ids": {"resultOf": "c1", "name": "Core/echo", "path": "/list/*/ids"}}, "c2"]]}"""

TARGETS = (
    Target("jmap states that a client knows", _known, (b"", b"a:1,,,3,none,17,,,;b:-,1,-,,,,,,", b"a:1;b:2")),
    Target("jmap request", _request, (b"{}", b"[]", b'{"a": 1, "a": 2}', _CALLS)),
    Target("jmap patch", _patch, (b'{"a": {"b": 1}, "a/b": null}', b'{"a/b": 1}', b'{"": 1, "/": 2, "~1~0": null}')),
)
