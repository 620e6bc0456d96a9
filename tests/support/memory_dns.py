"""Live DNS in memory: what each server of every zone shows, as a test says it, and servers that are down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailstack.reconcile.dns.live import Seen, Sight
from mailstack.reconcile.dns.record_set import Key

Held = dict[Key, tuple[str, ...]]


@dataclass
class MemoryDns:
    """Works as LiveDns. servers: what each holds, of whatever zone. down: servers that do not answer. public: what a
    resolver answers. asked: every question, as "name TYPE".
    """

    servers: dict[str, Held] = field(default_factory=lambda: {"ns1": {}})
    down: set[str] = field(default_factory=set)
    public: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    failure: str = ""
    asked: list[str] = field(default_factory=list)

    async def seen(self, zone: str, name: str, record_type: str) -> Seen:  # noqa: ARG002  servers hold any zone
        self.asked.append(f"{name} {record_type}")
        if self.failure:
            return Seen(failure=self.failure)
        return Seen(sights=tuple(self._sight(server, (name, record_type)) for server in self.servers))

    async def resolved(self, name: str, record_type: str) -> Sight:
        self.asked.append(f"{name} {record_type}")
        if self.failure:
            return Sight(server="", failure=self.failure)
        return Sight(server="", values=self.public.get((name, record_type), ()))

    def _sight(self, server: str, key: Key) -> Sight:
        if server in self.down:
            return Sight(server=server, failure="does not answer")
        held = self.servers[server]
        alias = held.get((key[0], "CNAME"), ("",))[0] if key[1] != "CNAME" else ""
        return Sight(server=server, values=held.get(key, ()), ttl_s=300, alias=alias)
