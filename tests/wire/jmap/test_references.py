"""Arguments from earlier responses."""

from typing import Any

import pytest

from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.references import MAX_STEPS, Results

# RFC 8620 §3.7: the first steps of its second example.
QUERY = {"ids": ["msg1023", "msg223", "msg110", "msg93", "msg91"], "total": 101}
THREADS = {
    "list": [
        {"id": "trd194", "emailIds": ["msg1020", "msg1021", "msg1023"]},
        {"id": "trd114", "emailIds": ["msg201", "msg223"]},
    ],
    "a/b": {"m~n": [0, [1, 2], [[3]]]},
    "": 8,
}


def results(octets: int = 100_000) -> Results:
    found = Results(octets=octets)
    found.add("Email/query", QUERY, "t0")
    found.add("Thread/get", THREADS, "t2")
    found.add("error", {"type": "serverFail"}, "t3")
    found.add("Email/get", {"list": []}, "t3")
    return found


def referring(path: str, *, result_of: str = "t2", name: str = "Thread/get") -> dict[str, Any]:
    return {"#x": {"resultOf": result_of, "name": name, "path": path}, "y": 1}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/list/*/emailIds", ["msg1020", "msg1021", "msg1023", "msg201", "msg223"]),
        ("/list/*/id", ["trd194", "trd114"]),
        ("/list/0/id", "trd194"),
        ("/list/1/emailIds/*", ["msg201", "msg223"]),
        ("/list/*/emailIds/0", ["msg1020", "msg201"]),
        ("/a~1b/m~0n", [0, [1, 2], [[3]]]),
        ("/a~1b/m~0n/*", [0, 1, 2, [3]]),
        ("/", 8),
        ("", THREADS),
    ],
)
def test_paths(path: str, value: object) -> None:
    assert results().resolve(referring(path)) == {"x": value, "y": 1}


@pytest.mark.parametrize(
    "path",
    [
        *("list", "/lists", "/list/2", "/list/01", "/list/-", "/list/-1", "/list/\u0661", "/list/9999999999"),
        *("/list/*/no", "/list/0/id/0", "/*", "/list/*/id/*", "/list/" + "*/" * MAX_STEPS),
    ],
)
def test_paths_to_nothing(path: str) -> None:
    assert fault(referring(path)).type is MethodFaultType.INVALID_RESULT_REFERENCE


@pytest.mark.parametrize(
    "reference",
    [
        None,
        "t2",
        [],
        {"resultOf": "t2", "name": "Thread/get"},
        {"resultOf": "t2", "name": "Thread/get", "path": 1},
        {"resultOf": "t9", "name": "Thread/get", "path": ""},
        {"resultOf": "t2", "name": "Email/query", "path": ""},
        # The first response of the call counts.
        {"resultOf": "t3", "name": "Email/get", "path": "/list"},
    ],
)
def test_references_to_nothing(reference: object) -> None:
    assert fault({"#x": reference}).type is MethodFaultType.INVALID_RESULT_REFERENCE


def test_an_argument_is_given_or_referred_to() -> None:
    found = fault({**referring("/list"), "x": []})
    assert (found.type, found.description) == (
        MethodFaultType.INVALID_ARGUMENTS,
        "x is there twice, once as a reference",
    )


def test_what_references_bring_is_bounded() -> None:
    """Each echo of two references to the one before would be twice as large."""
    found = Results(octets=50_000)
    found.add("Core/echo", {"a": "x" * 100, "b": {"c": [None, True, 1]}}, "0")
    with pytest.raises(MethodFault, match="the references of this request bring too much"):
        echo_twice(found, times=12)


def test_what_references_go_through_is_bounded() -> None:
    """Little may come of much."""
    found = Results(octets=8_000)
    found.add("Core/echo", {"a": [[]] * 300}, "0")
    reference = {"resultOf": "0", "name": "Core/echo", "path": "/a/*/*"}
    assert found.resolve({"#a": reference}) == {"a": []}
    with pytest.raises(MethodFault, match="the references of this request bring too much"):
        found.resolve({"#a": reference})


def echo_twice(found: Results, *, times: int) -> None:
    for step in range(times):
        reference = {"resultOf": str(step), "name": "Core/echo", "path": ""}
        found.add("Core/echo", found.resolve({"#a": reference, "#b": reference}), str(step + 1))


def fault(arguments: dict[str, Any]) -> MethodFault:
    with pytest.raises(MethodFault) as caught:
        results().resolve(arguments)
    return caught.value
