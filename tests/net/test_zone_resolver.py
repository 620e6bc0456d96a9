"""DNS as a master file has it."""

import pytest

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.net.zone_resolver import ZoneResolver
from mailstack.ports.resolver import MailExchanger

ZONE = """\
$TTL 60
$ORIGIN sender.test.
@       SOA  ns hostmaster 1 3600 600 604800 300
@       NS   ns
@       MX   10 MX
@       TXT  "v=spf1 " "ip4:192.0.2.1 -all"
mx      A    192.0.2.1
mx      AAAA 2001:db8::1
alias   CNAME mx
round   CNAME round2
round2  CNAME round
away    CNAME www.elsewhere.test.
*.any   A    192.0.2.9
b.any   TXT  "here"
silent  NS   ns.elsewhere.test.
1.2.0.192.in-addr.arpa. PTR mx.sender.test.
"""
DNS = ZoneResolver(ZONE, name="dns.zone")


async def test_each_kind_of_question() -> None:
    assert await DNS.mail_exchangers("Sender.test") == (MailExchanger(preference=10, host="mx.sender.test"),)
    assert await DNS.texts("sender.test.") == ("v=spf1 ip4:192.0.2.1 -all",)
    assert await DNS.addresses("mx.sender.test") == ("2001:db8::1", "192.0.2.1")
    assert await DNS.addresses_of("mx.sender.test", 6) == ("2001:db8::1",)
    assert await DNS.names_of("192.0.2.1") == ("mx.sender.test",)


async def test_nothing_is_vouched_for() -> None:
    found = await DNS.exchangers_answer("sender.test")
    assert (found.values, found.is_secure) == ((MailExchanger(preference=10, host="mx.sender.test"),), False)
    assert (await DNS.addresses_answer("mx.sender.test")).values == ("2001:db8::1", "192.0.2.1")


async def test_what_is_not_there_is_absent() -> None:
    assert await DNS.texts("mx.sender.test") == ()
    assert await DNS.texts("nobody.test") == ()
    assert await DNS.texts("a..b") == ()
    assert await DNS.names_of("mx.sender.test") == ()
    assert await DNS.addresses("away.sender.test") == ()


async def test_aliases_are_followed_and_never_in_circles() -> None:
    assert await DNS.addresses_of("alias.sender.test", 4) == ("192.0.2.1",)
    with pytest.raises(TryAgainLater, match="aliases without end"):
        await DNS.addresses_of("round.sender.test", 4)


async def test_a_wildcard_stands_for_names_that_are_not_there() -> None:  # RFC 4592 §2.2.1
    assert await DNS.addresses_of("x.any.sender.test", 4) == ("192.0.2.9",)
    assert await DNS.addresses_of("b.any.sender.test", 4) == ()
    assert await DNS.addresses_of("c.b.any.sender.test", 4) == ()


@pytest.mark.parametrize("name", ["silent.sender.test", "_dmarc.silent.sender.test"])
async def test_what_is_delegated_does_not_answer(name: str) -> None:
    with pytest.raises(TryAgainLater, match="delegated"):
        await DNS.texts(name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a.test. CLASS7 TXT x\n", "dns.zone:1: "),
        ("$TTL 60\na.test. MX ten mx.a.test.\n", "dns.zone:2: expecting an integer"),
        ("$TTL 60\n$INCLUDE /etc/passwd\n", "dns.zone:2: "),
        ("$TTL 60\n$GENERATE 1-4000000000 a$.test. A 192.0.2.1\n", "dns.zone:2: "),
    ],
)
def test_a_file_with_faults_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(Invalid) as raised:
        ZoneResolver(text, name="dns.zone")
    assert told in raised.value.detail
