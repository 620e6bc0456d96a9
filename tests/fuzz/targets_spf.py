"""What any domain may publish and any client may call itself: a verdict comes of it, bounded and printable.

Covers mailstack.mailauth.spf.check, evaluate, record and macro.
"""

import asyncio
from collections.abc import Sequence

from mailstack.mailauth.spf.check import check
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant
from mailstack.ports.resolver import IpVersion, MailExchanger
from tests.fuzz.target import Target

MOST_QUESTIONS = 130


class Publisher:
    """Answers everything with the same: a resolver of ports.resolver.Resolver's shape over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.questions = 0

    async def mail_exchangers(self, domain: str) -> Sequence[MailExchanger]:
        self.ask(domain)
        return [MailExchanger(preference=1, host=self.text[:40])] * (len(self.text) % 12)

    async def addresses(self, host: str) -> Sequence[str]:
        return await self.addresses_of(host, 6)

    async def addresses_of(self, host: str, version: IpVersion) -> Sequence[str]:
        self.ask(host)
        return ["192.0.2.9"] if version == 4 else ["2001:db8::9"]

    async def names_of(self, address: str) -> Sequence[str]:
        self.ask(address)
        return ["mx.example.com", self.text[:40]] * 20

    async def texts(self, name: str) -> Sequence[str]:
        self.ask(name)
        return [self.text]

    def ask(self, name: str) -> None:
        self.questions += 1
        if len(name) % 13 == 12:
            raise TryAgainLater("DNS: Timeout")


def run_check(data: bytes) -> None:
    """The first line is what the client says, the rest the record."""
    said, _, record = data.partition(b"\n")
    mail_from = said.decode("utf-8", "surrogateescape")
    publisher = Publisher(record.decode("ascii", "surrogateescape"))
    verdict = asyncio.run(
        check(
            publisher,
            peer="192.0.2.1" if len(data) % 2 else "2001:db8::1",
            helo=mail_from[-300:],
            mail_from=mail_from,
            receiver="mail.test",
            now=Instant(0),
        )
    )
    assert publisher.questions <= MOST_QUESTIONS
    for words in (verdict.domain, verdict.mechanism, verdict.explanation, verdict.reason):
        assert words.isascii()
        assert not words or words.isprintable()
        assert len(words) <= 400


TARGETS: tuple[Target, ...] = (
    Target(
        "mailauth.spf",
        run_check,
        (
            b"a@example.com\nv=spf1 ip4:192.0.2.0/24 a:mail.example.com/24//64 -all exp=%{d}",
            b"a-b@example.com\nv=spf1 mx ptr:example.com ?include:%{ir}.%{v}.%{d2} ~exists:%{l1r-}.%{S} redirect=%{p}",
            b"@example.com\nv=spf1 include:example.com ip6:2001:db8::/32 x=%%%_%-",
            b"\nv=spf1",
            b"a@b.example\nv=spf1 -all exp=x.example",
        ),
    ),
)
