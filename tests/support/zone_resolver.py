"""DNS as the openspf suite writes it: {"example.com": [{"A": "192.0.2.1"}, {"MX": [10, "mx.example.com"]}, "TIMEOUT"]}.

SPF stands for a TXT record unless the name has TXT records of its own; TXT: NONE is no record. TIMEOUT: what the name
has no records for is not answered. Names in any case.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailstack.model.errors import TryAgainLater
from mailstack.ports.resolver import IpVersion, MailExchanger

MOST_CNAMES = 8


@dataclass
class ZoneResolver:
    """Works as ports.resolver.Resolver. asked: every question, as "name TYPE"."""

    zones: Mapping[str, Sequence[Any]]
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.zones = {name.lower(): records for name, records in self.zones.items()}

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        return [MailExchanger(preference=mx[0], host=mx[1].rstrip(".")) for mx in self.ask(domain, "MX")]

    async def addresses(self, host: str) -> Sequence[str]:
        return [*self.ask(host, "AAAA"), *self.ask(host, "A")]

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        return self.ask(host, "AAAA" if version == 6 else "A")

    async def names_of(self, address: str) -> Sequence[str]:
        return [name.rstrip(".") for name in self.ask(ipaddress.ip_address(address).reverse_pointer, "PTR")]

    async def texts(self, name: str) -> Sequence[str]:
        return [text if isinstance(text, str) else "".join(text) for text in self.ask(name, "TXT")]

    def ask(self, name: str, rdtype: str) -> list[Any]:
        self.asked.append(f"{name} {rdtype}")
        name = name.lower()
        for _ in range(MOST_CNAMES):
            records = self.zones.get(name, ())
            found = answers(records, rdtype)
            if found:
                return found
            if "TIMEOUT" in records:
                raise TryAgainLater(f"DNS: {name} {rdtype}: Timeout")
            aliases = answers(records, "CNAME")
            if not aliases:
                return []
            name = aliases[0].rstrip(".").lower()
        raise TryAgainLater(f"DNS: {name} {rdtype}: NoAnswer")


def answers(records: Sequence[Any], rdtype: str) -> list[Any]:
    pairs = [pair for record in records if isinstance(record, dict) for pair in record.items()]
    if rdtype == "TXT" and not any(key == "TXT" for key, _ in pairs):
        rdtype = "SPF"
    return [value for key, value in pairs if key == rdtype and value != "NONE"]
