"""Core/echo: the arguments come back. RFC 8620 §4.1."""

from typing import Any

from mailstack.servers.jmap.method import Call, Method
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.session import CORE


async def run(_call: Call, arguments: Arguments) -> dict[str, Any]:
    return arguments.all()


METHOD = Method(name="Core/echo", capability=CORE, run=run)
