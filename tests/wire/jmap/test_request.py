"""Requests from JSON, and what is said of those that are none."""

import orjson
import pytest

from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.request import MAX_DEPTH, Invocation, ProblemType, Request, RequestProblem, parse_request
from mailstack.wire.jmap.session import CORE, MAIL

LIMITS = JmapLimits(request_octets=20_000, calls_in_request=3)
# RFC 8620 §3.3.1
EXAMPLE = b"""{
 "using": [ "urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail" ],
 "methodCalls": [
   [ "method1", { "arg1": "arg1data", "arg2": "arg2data" }, "c1" ],
   [ "method2", { "arg1": "arg1data" }, "c2" ],
   [ "method3", {}, "c3" ]
 ]
}"""


def test_the_example_of_the_rfc() -> None:
    assert parse_request(EXAMPLE, LIMITS, {CORE, MAIL}) == Request(
        using=frozenset({CORE, MAIL}),
        calls=[
            Invocation(name="method1", arguments={"arg1": "arg1data", "arg2": "arg2data"}, call_id="c1"),
            Invocation(name="method2", arguments={"arg1": "arg1data"}, call_id="c2"),
            Invocation(name="method3", arguments={}, call_id="c3"),
        ],
        created=None,
    )


def test_created_ids_and_what_is_for_extensions() -> None:
    request = parse_request(
        b'{"using": [], "methodCalls": [], "createdIds": {"k1": "M1-2"}, "@type": "Request", "id": 5}', LIMITS, ()
    )
    assert request == Request(using=frozenset(), calls=[], created={"k1": "M1-2"})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"using": [], "methodCalls": []} x',
        b'{"using": ["\xff"], "methodCalls": []}',
        b'{"using": ["\\ud800"], "methodCalls": []}',
        b'\xef\xbb\xbf{"using": [], "methodCalls": []}',
        b'{"using": [], "methodCalls": [["a", {"n": NaN}, "c"]]}',
        b'{"using": [], "methodCalls": [["a", {"n": 1e999}, "c"]]}',
        b'{"using": [], "using": [], "methodCalls": []}',
        b'{"using": [], "methodCalls": [["a", {"n": 1, "\\u006e": 2}, "c"]]}',
        b'{"using": [], "methodCalls": [["a", {"n": {"a:\\"": 1, "a:\\"": 1}}, "c"]]}',
        b"[" * 5000,
    ],
)
def test_what_is_not_i_json(data: bytes) -> None:
    assert problem(data).type is ProblemType.NOT_JSON


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"null", "the content is not an object"),
        (b"[]", "the content is not an object"),
        (b"{}", "using is not an array of Strings"),
        (b'{"using": "a", "methodCalls": []}', "using is not an array of Strings"),
        (b'{"using": [1], "methodCalls": []}', "using is not an array of Strings"),
        (b'{"using": []}', "methodCalls is not an array"),
        (b'{"using": [], "methodCalls": {}}', "methodCalls is not an array"),
        (b'{"using": [], "methodCalls": [], "createdIds": []}', "createdIds is not an object of Ids, by Id"),
        (b'{"using": [], "methodCalls": [], "createdIds": {"a": 1}}', "createdIds is not an object of Ids, by Id"),
        (b'{"using": [], "methodCalls": [], "createdIds": {"#": "a"}}', "createdIds is not an object of Ids, by Id"),
        *(
            (
                b'{"using": [], "methodCalls": [%b]}' % call,
                "a method call is not an array of a name, an object of arguments and a method call id",
            )
            for call in (
                b"1",
                b"{}",
                b'["a", {}]',
                b'["a", {}, "c", 1]',
                b'["a", [], "c"]',
                b'[1, {}, "c"]',
                b'["a", {}, 1]',
                b'["a", null, "c"]',
            )
        ),
        (
            b'{"using": [], "methodCalls": [["a", {"n": %b1%b}, "c"]]}' % (b"[" * MAX_DEPTH, b"]" * MAX_DEPTH),
            f"nested deeper than {MAX_DEPTH} levels",
        ),
    ],
)
def test_what_is_json_and_no_request(data: bytes, detail: str) -> None:
    found = problem(data)
    assert (found.type, found.detail) == (ProblemType.NOT_REQUEST, detail)


def test_what_is_not_known_here() -> None:
    data = orjson.dumps({"using": [CORE, "https://example.com/apis/foobar"], "methodCalls": []})
    found = problem(data)
    assert (found.type, found.detail) == (
        ProblemType.UNKNOWN_CAPABILITY,
        "not known here: https://example.com/apis/foobar",
    )


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (b" " * (LIMITS.request_octets + 1), "maxSizeRequest"),
        (orjson.dumps({"using": [CORE], "methodCalls": [["a", {}, "c"]] * 4}), "maxCallsInRequest"),
    ],
)
def test_limits_are_named(data: bytes, limit: str) -> None:
    found = problem(data)
    assert (found.type, found.limit) == (ProblemType.LIMIT, limit)


def test_colons_within_strings_are_no_members() -> None:
    arguments = {'a:"b\\': 'c:"\\', "d": ["\\\\:", {"": ":"}], "e": "\n:\u2028"}
    data = orjson.dumps({"using": [CORE], "methodCalls": [["a", arguments, "::"]]})
    assert parse_request(data, LIMITS, {CORE}).calls == [Invocation(name="a", arguments=arguments, call_id="::")]


def problem(data: bytes) -> RequestProblem:
    with pytest.raises(RequestProblem) as caught:
        parse_request(data, LIMITS, {CORE})
    return caught.value
