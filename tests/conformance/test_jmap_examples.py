"""The examples of JMAP's RFCs, asked of a server and answered as they are printed, but for ids, states and times."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.jmap.dispatch import responses_to
from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.request import Invocation
from mailstack.wire.jmap.session import API_PATH, BLOB, CORE, MAIL, SESSION_PATH
from tests.support.jmap_calls import share
from tests.support.jmap_examples import Example, ExampleRun, examples
from tests.support.jmap_world import JmapWorld, jmap_world
from tests.support.stores import mailbox_with

QUOTA_BYTES = 1_000_000
BASE_URL = "https://jmap.example.com"

SECTIONS = {
    "RFC8620": ["2.1", "3.3.1", "3.4.1", "3.6.1.1", "3.6.2", "3.7", "4.1", "5.7", "7.1.1", "7.2.3"],
    "RFC8621": ["1.5.1", "2.6", "3.1.1", "4.1.2.3", "4.1.3", "4.2.1", "4.4.2", "4.10", "5.2", "6.4", "7.5.1"],
    "RFC9404": ["3.1.1", "4.1.1", "4.1.2", "4.2.1", "4.2.2", "4.3.1"],
    "RFC9425": ["5.1", "5.2"],
    "RFC9661": ["2.4.1"],
}
"""All that have one with calls, or that has a test of its own."""
ELSEWHERE = {
    ("RFC8620", "2.1"): "test_the_session",
    ("RFC8620", "3.3.1"): "test_three_methods_one_of_which_is_not_there",
    ("RFC8620", "3.4.1"): "test_three_methods_one_of_which_is_not_there",
    ("RFC8620", "3.6.1.1"): "test_requests_that_are_refused_as_a_whole",
    ("RFC8620", "3.6.2"): "test_three_methods_one_of_which_is_not_there",
    ("RFC8620", "7.1.1"): "tests/wire/jmap/test_state_change.py",
    ("RFC8621", "1.5.1"): "tests/services/states/test_feed.py",
    ("RFC9404", "3.1.1"): "test_the_capability_for_blobs",
}
"""A test of this file, or a file of tests."""


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
async def test_an_example(tmp_path: Path, example: Example) -> None:
    async with jmap_world(tmp_path, quota_bytes=QUOTA_BYTES) as world:
        await ExampleRun(world).play(example.text)


def test_no_example_is_left_out() -> None:
    played = {(example.rfc, example.text["of"]) for example in examples()}
    printed = {(rfc, section) for rfc, sections in SECTIONS.items() for section in sections}
    assert played | ELSEWHERE.keys() == printed
    assert all(where in globals() or Path(where).is_file() for where in ELSEWHERE.values())


async def test_the_session(tmp_path: Path) -> None:
    """RFC 8620 §2.1: one's own account, and one in which mail may be looked at."""
    async with jmap_world(tmp_path) as world:
        john, jane = await world.account("u0"), await world.account("u1")
        inbox = await mailbox_with(world.imap.store, jane.account_id, MailboxRole.INBOX)
        await share(world, inbox, "lr", owner="u1", viewer="u0")
        found = (await world.ask("GET", SESSION_PATH, base_url=BASE_URL)).json()
    assert found["username"] == john.login
    core, accounts = found["capabilities"][CORE], found["accounts"]
    assert {name for name, value in core.items() if isinstance(value, int) and value > 0} == {
        "maxSizeUpload",
        "maxConcurrentUpload",
        "maxSizeRequest",
        # RFC 8620, errata: the example lacks the last letter.
        "maxConcurrentRequests",
        "maxCallsInRequest",
        "maxObjectsInGet",
        "maxObjectsInSet",
    }
    assert {"i;ascii-casemap", "i;unicode-casemap"} <= {*core["collationAlgorithms"]}
    assert found["capabilities"][MAIL] == {}
    assert [*accounts] == [john.account_id, jane.account_id]
    assert [(one["name"], one["isPersonal"]) for one in accounts.values()] == [(john.login, True), (jane.login, False)]
    assert all(one["accountCapabilities"][MAIL]["maxMailboxesPerEmail"] is None for one in accounts.values())
    assert found["primaryAccounts"][MAIL] == john.account_id
    variables = {
        "apiUrl": [],
        "downloadUrl": ["accountId", "blobId", "name", "type"],
        "uploadUrl": ["accountId"],
        "eventSourceUrl": ["types", "closeafter", "ping"],
    }
    for name, needed in variables.items():
        assert found[name].startswith(f"{BASE_URL}/")
        assert [one for one in needed if f"{{{one}}}" not in found[name]] == []


async def test_three_methods_one_of_which_is_not_there(tmp_path: Path) -> None:
    """RFC 8620 §3.3.1, §3.4.1, §3.6.2."""

    async def run(_: Call, arguments: Arguments) -> dict[str, Any]:
        return {"given": arguments.all()}

    methods = {name: Method(name=name, capability=CORE, run=run) for name in ("method1", "method2")}
    calls = [
        Invocation(name="method1", arguments={"arg1": "arg1data", "arg2": "arg2data"}, call_id="c1"),
        Invocation(name="method2", arguments={"arg1": "arg1data"}, call_id="c2"),
        Invocation(name="method3", arguments={}, call_id="c3"),
    ]
    async with jmap_world(tmp_path) as world:
        call = await world.call(using=frozenset({CORE, MAIL}))
        assert await responses_to(calls, call, methods=methods) == [
            ("method1", {"given": {"arg1": "arg1data", "arg2": "arg2data"}}, "c1"),
            ("method2", {"given": {"arg1": "arg1data"}}, "c2"),
            ("error", {"type": "unknownMethod"}, "c3"),
        ]


async def test_requests_that_are_refused_as_a_whole(tmp_path: Path) -> None:
    """RFC 8620 §3.6.1.1."""
    async with jmap_world(tmp_path) as world:
        foreign = {"using": ["https://example.com/apis/foobar"], "methodCalls": []}
        found = await _refused(world, orjson.dumps(foreign))
        assert found["type"] == "urn:ietf:params:jmap:error:unknownCapability"
        assert "https://example.com/apis/foobar" in found["detail"]
        found = await _refused(world, b" " * (world.service.limits.request_octets + 1))
        assert (found["type"], found["limit"]) == ("urn:ietf:params:jmap:error:limit", "maxSizeRequest")


async def _refused(world: JmapWorld, content: bytes) -> Any:
    reply = await world.ask("POST", API_PATH, content=content)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/problem+json")
    assert reply.json()["status"] == 400
    return reply.json()


async def test_the_capability_for_blobs(tmp_path: Path) -> None:
    """RFC 9404 §3.1.1."""
    async with jmap_world(tmp_path) as world:
        found = (await world.ask("GET", SESSION_PATH)).json()
        facts = found["accounts"][(await world.account()).account_id]["accountCapabilities"][BLOB]
    assert found["capabilities"][BLOB] == {}
    assert facts["maxSizeBlobSet"] == world.service.limits.upload_octets
    assert facts["maxDataSources"] >= 64
    assert {"Mailbox", "Thread", "Email"} <= {*facts["supportedTypeNames"]}
    assert facts["supportedDigestAlgorithms"] == ["sha", "sha-256"]
