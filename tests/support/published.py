"""DKIM records as DNS would show them, put there by a test."""

from collections.abc import Iterable

from mailstack.mailauth.dkim.keys import record
from mailstack.model.resource import DkimKeyBody
from tests.support.memory_dns import MemoryDns


def publish_keys(dns: MemoryDns, keys: Iterable[DkimKeyBody], servers: Iterable[str] = ("ns1",)) -> None:
    """These and no others, at these servers."""
    shown = {
        (f"{key.selector}._domainkey.{key.domain}", "TXT"): (record(key.algorithm, key.public_key),) for key in keys
    }
    for server in servers:
        held = dns.servers.setdefault(server, {})
        for name in [name for name in held if "._domainkey." in name[0]]:
            del held[name]
        held.update(shown)
