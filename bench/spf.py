"""One SPF check with every answer of DNS at hand: as large senders publish it, and as someone would to cost us time."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence

from mailstack.mailauth.spf.check import check
from mailstack.model.instant import Instant
from mailstack.model.verdict import SpfResult
from mailstack.net.resolver import DnsResolver
from tests.support.dns_server import dns_server

NOW = Instant(1_700_000_000_000)
LONGEST_STRING = 255
# The shape of a large sender's: a record that includes one, which includes three of networks.
NETS = {
    f"_netblocks{number}.large.test": "v=spf1 "
    + " ".join(f"ip4:10.{number}.{net}.0/20 ip6:2001:db8:{number}{net}::/36" for net in range(8))
    + " ~all"
    for number in (1, 2, 3)
}
LARGE = {
    "sender.test": "v=spf1 include:_spf.large.test -all",
    "_spf.large.test": "v=spf1 " + " ".join(f"include:{name}" for name in NETS) + " ~all",
    **NETS,
}
SMALL = {"sender.test": "v=spf1 ip4:10.3.7.1 -all"}
HOSTILE = {
    "sender.test": "v=spf1 " + " ".join(f"include:i{number}.test" for number in range(10)) + " -all",
    **{f"i{number}.test": f"v=spf1 ip4:10.0.0.{number}" + " ip4:1.1.1.1" * 300 for number in range(10)},
}


def main() -> None:
    print(f"{'record':>8} {'result':>10} {'CPU':>10}")
    for name, records in (("small", SMALL), ("large", LARGE), ("hostile", HOSTILE)):
        result, spent_ms = asyncio.run(measure(records))
        print(f"{name:>8} {result:>10} {spent_ms:8.3f}ms")


async def measure(records: Mapping[str, str]) -> tuple[SpfResult, float]:
    async with dns_server({name: {"TXT": [" ".join(strings(text))]} for name, text in records.items()}) as server:
        resolver = DnsResolver(clock=lambda: NOW, nameservers=(server.endpoint,))
        taken: list[float] = []
        for _ in range(200):
            begun = time.process_time()
            verdict = await check(
                resolver,
                peer="10.3.7.1",
                helo="mx.sender.test",
                mail_from="a@sender.test",
                receiver="mail.test",
                now=NOW,
            )
            taken.append((time.process_time() - begun) * 1_000)
        return verdict.result, statistics.median(taken)


def strings(text: str) -> Sequence[str]:
    return [f'"{text[at : at + LONGEST_STRING]}"' for at in range(0, len(text), LONGEST_STRING)]


if __name__ == "__main__":
    main()
