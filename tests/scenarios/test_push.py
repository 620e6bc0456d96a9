"""Pushes of a whole appliance with two workers: proved, told of changes by IMAP, and told by another worker when those
that did it are killed."""

import asyncio
import imaplib
import os
import signal
from typing import Any

import httpx
import pytest

from tests.support.over_sockets import CLIENT_S
from tests.support.push_server import PushServer, push_server
from tests.support.running import until
from tests.support.sandbox import PATIENCE_S, Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

CORE = "urn:ietf:params:jmap:core"
MAIL = "urn:ietf:params:jmap:mail"
ALICE = ("alice@example.com", "pw")


async def ask(sandbox: Sandbox, name: str, **arguments: Any) -> Any:
    url = f"http://127.0.0.1:{sandbox.port('http')}/jmap/api"
    async with httpx.AsyncClient(timeout=CLIENT_S, auth=ALICE) as client:
        reply = await client.post(url, json={"using": [CORE, MAIL], "methodCalls": [[name, arguments, "0"]]})
        ((answered, found, _),) = reply.json()["methodResponses"]
        assert answered == name, found
        return found


async def append(sandbox: Sandbox) -> None:
    def work() -> None:
        with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as imap:
            imap.login(*ALICE)
            imap.append("INBOX", "", "", b"From: bob@x.example\r\nSubject: Hello\r\n\r\nText\r\n")

    await asyncio.to_thread(work)


async def subscribe(sandbox: Sandbox, server: PushServer) -> str:
    """And shows the code."""
    new = {"deviceClientId": "a889-ffea-910", "url": server.url("/push?device=1"), "types": ["Email", "EmailDelivery"]}
    made = await ask(sandbox, "PushSubscription/set", create={"k": new})
    push_id: str = made["created"]["k"]["id"]
    await server.until(lambda: bool(server.of_type("PushVerification")), timeout_s=PATIENCE_S)
    (verification,) = server.of_type("PushVerification")
    assert verification["pushSubscriptionId"] == push_id
    change = {"verificationCode": verification["verificationCode"]}
    shown = await ask(sandbox, "PushSubscription/set", update={push_id: change})
    assert shown["updated"] == {push_id: None}
    return push_id


async def state_of(sandbox: Sandbox, account_id: str) -> str:
    found = await ask(sandbox, "Email/get", accountId=account_id, ids=[])
    return str(found["state"])


async def pushed(sandbox: Sandbox, server: PushServer) -> None:
    """Until the state of a message that was appended now has been told."""
    await append(sandbox)
    async with httpx.AsyncClient(timeout=CLIENT_S, auth=ALICE) as client:
        session = (await client.get(f"http://127.0.0.1:{sandbox.port('http')}/jmap/session")).json()
    account_id = session["primaryAccounts"][MAIL]
    state = await state_of(sandbox, account_id)
    await server.until(
        lambda: any(change["changed"][account_id].get("Email") == state for change in server.of_type("StateChange")),
        timeout_s=PATIENCE_S,
    )
    last = server.of_type("StateChange")[-1]["changed"]
    assert last[account_id].keys() == {"Email", "EmailDelivery"}


async def test_a_change_over_imap_is_pushed(sandbox: Sandbox) -> None:
    async with push_server() as server:
        push_id = await subscribe(sandbox, server)
        await pushed(sandbox, server)
        gone = await ask(sandbox, "PushSubscription/set", destroy=[push_id])
        assert gone["destroyed"] == [push_id]
        told = len(server.pushed)
        async with push_server() as other:
            await subscribe(sandbox, other)
            await pushed(sandbox, other)
        assert len(server.pushed) == told


async def test_another_worker_goes_on_where_one_was_killed(sandbox: Sandbox) -> None:
    async with push_server() as server:
        await subscribe(sandbox, server)
        await pushed(sandbox, server)
        for pid in sandbox.workers():  # one of them has pushed
            os.kill(pid, signal.SIGKILL)
        await until(lambda: _is_pushed(sandbox, server))
        assert len(server.of_type("PushVerification")) == 1


async def _is_pushed(sandbox: Sandbox, server: PushServer) -> bool:
    """False: nobody serves at the moment."""
    try:
        await pushed(sandbox, server)
    except (OSError, httpx.HTTPError, imaplib.IMAP4.error):
        return False
    return True
