"""A store between whose reads something happens: what one read has given is old by the time of the next."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

READS = {
    "messages": ("table", "placements", "columns"),
    "mailboxes": ("list", "status", "keywords"),
    "changes": ("mod_seq", "since", "destroyed_since"),
}


def make_restless(ports: object, meanwhile: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> None:
    """ports: what has them as attributes. meanwhile: what happens before and after each read."""

    def around(read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def read_amid(*arguments: Any, **named: Any) -> Any:
            await meanwhile()
            found = await read(*arguments, **named)
            await meanwhile()
            return found

        return read_amid

    for port, names in READS.items():
        adapter = getattr(ports, port)
        for name in names:
            monkeypatch.setattr(adapter, name, around(getattr(adapter, name)))
