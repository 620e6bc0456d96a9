"""Method calls of one request: in order, each for itself."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.servers.jmap.dispatch import METHODS, responses_to
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import invalid_arguments
from mailstack.wire.jmap.request import Invocation
from mailstack.wire.jmap.session import CORE
from tests.support.jmap_world import JmapWorld

OTHER = "https://example.com/other"


def failing(fault: Exception) -> Callable[[Call, Arguments], Awaitable[dict[str, Any]]]:
    async def run(_call: Call, _arguments: Arguments) -> dict[str, Any]:
        raise fault

    return run


async def create(call: Call, arguments: Arguments) -> dict[str, Any]:
    found = [call.id_of(each) for each in arguments.ids("ids") or ()]
    call.created["k"] = "X1"
    return {"found": found}


async def implying(call: Call, arguments: Arguments) -> dict[str, Any]:
    call.implied.extend([("Core/echo", {"n": 1}), ("no/such", {}), ("Core/echo", {"n": 2})])
    return {}


FAILING = {
    "fault": (invalid_arguments("ids is needed"), {"type": "invalidArguments", "description": "ids is needed"}),
    "domain": (TryAgainLater("disk"), {"type": "serverUnavailable", "description": "Try again later"}),
    "damaged": (Damaged("row 5"), {"type": "serverFail", "description": "What was stored cannot be read"}),
    "bug": (ZeroDivisionError("secret"), {"type": "serverFail", "description": "Internal error"}),
}
TABLE = {
    **METHODS,
    "create": Method(name="create", capability=CORE, run=create),
    "implying": Method(name="implying", capability=CORE, run=implying),
    "other": Method(name="other", capability=OTHER, run=create),
    **{name: Method(name=name, capability=CORE, run=failing(fault)) for name, (fault, _) in FAILING.items()},
}


async def ask(world: JmapWorld, *calls: tuple[str, dict[str, Any], str]) -> list[Any]:
    call = await world.call(using=frozenset({CORE}))
    invocations = [Invocation(name=name, arguments=given, call_id=call_id) for name, given, call_id in calls]
    return await responses_to(invocations, call, methods=TABLE)


async def test_in_order_and_by_their_ids(world: JmapWorld) -> None:
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("Core/echo", {"hello": True, "high": 5}, "b3ff"),
        ("Core/echo", {}, ""),
        ("Core/echo", {"a": None}, ""),
    ]
    assert await ask(world, *calls) == calls


@pytest.mark.parametrize("name", FAILING)
async def test_a_failure_leaves_the_others_alone(world: JmapWorld, name: str) -> None:
    first, failed, last = await ask(world, ("Core/echo", {}, "1"), (name, {}, "2"), ("Core/echo", {}, "3"))
    assert failed == ("error", FAILING[name][1], "2")
    assert (first[2], last[2]) == ("1", "3")


@pytest.mark.parametrize("name", ["no/such", "core/echo", "", "other"])
async def test_what_is_not_there_for_the_request(world: JmapWorld, name: str) -> None:
    assert await ask(world, (name, {}, "c")) == [("error", {"type": "unknownMethod"}, "c")]


async def test_references_to_results(world: JmapWorld) -> None:
    path = {"resultOf": "1", "name": "Core/echo", "path": "/list/*/id"}
    found = await ask(
        world,
        ("Core/echo", {"list": [{"id": "a"}, {"id": "b"}]}, "1"),
        ("Core/echo", {"#ids": path, "n": 1}, "2"),
        ("Core/echo", {"#ids": {**path, "resultOf": "3"}}, "3"),
        ("Core/echo", {"#ids": {**path, "resultOf": "3"}}, "4"),
    )
    assert found[1] == ("Core/echo", {"ids": ["a", "b"], "n": 1}, "2")
    assert [(name, fault["type"]) for name, fault, _ in found[2:]] == [("error", "invalidResultReference")] * 2


async def test_references_to_what_was_created(world: JmapWorld) -> None:
    found = await ask(world, ("create", {"ids": ["#k"]}, "1"), ("create", {"ids": ["#k", "#l", "k"]}, "2"))
    assert [response["found"] for _, response, _ in found] == [["#k"], ["X1", "#l", "k"]]


async def test_what_follows_from_a_call_comes_right_behind_it(world: JmapWorld) -> None:
    assert await ask(world, ("implying", {}, "1"), ("Core/echo", {"n": 3}, "2")) == [
        ("implying", {}, "1"),
        ("Core/echo", {"n": 1}, "1"),
        ("error", {"type": "unknownMethod"}, "1"),
        ("Core/echo", {"n": 2}, "1"),
        ("Core/echo", {"n": 3}, "2"),
    ]


async def test_what_follows_need_not_be_used_by_the_request(world: JmapWorld) -> None:
    async def following(call: Call, _: Arguments) -> dict[str, Any]:
        call.implied.append(("other", {"ids": []}))
        return {}

    table = {**TABLE, "following": Method(name="following", capability=CORE, run=following)}
    call = await world.call(using=frozenset({CORE}))
    asked = [Invocation(name=name, arguments={}, call_id=name) for name in ("following", "other")]
    answers = await responses_to(asked, call, methods=table)
    assert [(name, call_id) for name, _, call_id in answers] == [
        ("following", "following"),
        ("other", "following"),
        ("error", "other"),
    ]
