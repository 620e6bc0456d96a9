"""Which doors proxies may come in by."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from mailstack.app.doors import Doors
from mailstack.app.generation import Services
from mailstack.app.sockets import Endpoint
from mailstack.model.networks import Networks, networks_of
from mailstack.net.tally import Nobody
from mailstack.servers.smtp.service import SmtpService
from tests.support.dialogue import Client, connect
from tests.support.smtp_world import SmtpWorld

PROXY_HERE = networks_of(("127.0.0.1",))


@dataclass
class MailOnly:
    """The part of Services that SMTP and LMTP are served with."""

    proxies: Networks = PROXY_HERE
    smtp: SmtpService = field(default_factory=lambda: SmtpWorld().service())


@asynccontextmanager
async def opened(service: str) -> AsyncIterator[Client]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    services = cast(Services, MailOnly())
    doors = Doors(lambda: services, context, context, Nobody())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        await doors.open({Endpoint(service=service, host=host, port=port): listener})
        client = await connect(host, port)
        try:
            yield client
        finally:
            await client.close()
            doors.close_all()
            await asyncio.sleep(0)  # a cancelled task ends at its next turn


async def test_a_proxy_says_for_whom_it_connects() -> None:
    async with opened("smtp") as client:
        await client.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n")
        await client.play("S: 220 ...")


@pytest.mark.parametrize("client_host", ["127.0.0.1", "192.0.2.1"])
async def test_auth_bypass_no_proxy_brings_anybody_in_by_lmtp(client_host: str) -> None:
    """Who is on this machine hands over mail that nobody checks; what they say of others counts for nothing."""
    async with opened("lmtp") as client:
        await client.play("S: 220 ...")
        await client.send(f"PROXY TCP4 {client_host} 192.0.2.2 4711 24\r\n".encode())
        await client.play("S: 500 5.5.2 ...\nC: LHLO x\nS: 250-...\nS: 250 ...")
