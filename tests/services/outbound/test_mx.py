"""Which hosts take a domain's mail. RFC 5321 §5.1, RFC 7505."""

import pytest

from mailstack.ports.resolver import MailExchanger
from mailstack.services.outbound.mx import MAX_EXCHANGERS, Hosts, best_hosts, exchangers
from tests.support.memory_resolver import MemoryResolver

OWN = "mail.example.com"


def mx(preference: int, host: str) -> MailExchanger:
    return MailExchanger(preference=preference, host=host)


class Tokens:
    """Gives the first asker the largest token."""

    def __init__(self) -> None:
        self._left = 1 << 16

    def __call__(self, size: int) -> bytes:
        self._left -= 1
        return self._left.to_bytes(size, "big")


async def hosts(*found: MailExchanger, addresses: tuple[str, ...] = ()) -> tuple[str, ...] | str:
    resolver = MemoryResolver(exchangers={"them.test": found}, hosts={"them.test": addresses, OWN: ("192.0.2.1",)})
    answer = await exchangers(resolver, "them.test", own_host=OWN, token=Tokens())
    return answer.names if isinstance(answer, Hosts) else f"{answer.code} {answer.status}"


async def test_lower_preference_first() -> None:
    assert await hosts(mx(20, "b"), mx(10, "a"), mx(30, "c")) == ("a", "b", "c")


async def test_equals_are_ordered_by_chance() -> None:
    assert await hosts(mx(10, "a"), mx(10, "b"), mx(5, "first"), mx(10, "c")) == ("first", "c", "b", "a")


async def test_without_mx_the_domain_itself_is_asked() -> None:
    assert await hosts(addresses=("192.0.2.9",)) == ("them.test",)


async def test_without_mx_and_address_mail_fails() -> None:
    assert await hosts() == "550 5.1.2"


async def test_a_null_mx_takes_no_mail() -> None:  # RFC 7505 §4.2
    assert await hosts(mx(0, "")) == "556 5.1.10"


async def test_a_null_mx_beside_real_ones_is_passed_over() -> None:
    assert await hosts(mx(0, ""), mx(10, "a")) == ("a",)


@pytest.mark.parametrize("preference", [10, 20])
async def test_hosts_no_better_than_ourselves_are_left_out(preference: int) -> None:
    assert await hosts(mx(5, "a"), mx(10, OWN), mx(preference, "b")) == ("a",)


async def test_the_best_exchanger_being_ourselves_is_a_loop() -> None:
    assert await hosts(mx(10, OWN), mx(20, "b")) == "554 5.4.6"


async def test_our_own_name_as_a_domain_is_a_loop() -> None:
    answer = await exchangers(MemoryResolver(), OWN, own_host=OWN, token=Tokens())
    assert not isinstance(answer, Hosts)
    assert answer.status == "5.4.6"


async def test_dns_trouble_is_for_later() -> None:
    answer = await exchangers(MemoryResolver(failing={"them.test"}), "them.test", own_host=OWN, token=Tokens())
    assert not isinstance(answer, Hosts)
    assert (answer.code, answer.status) == (451, "4.4.3")


async def test_hundreds_of_exchangers_are_not_all_tried() -> None:
    assert len(await hosts(*(mx(n, f"h{n}") for n in range(300)))) == MAX_EXCHANGERS


@pytest.mark.parametrize(("domain", "host"), [("[192.0.2.1]", "192.0.2.1"), ("[ipv6:2001:db8::1]", "2001:db8::1")])
async def test_an_address_literal_is_the_host(domain: str, host: str) -> None:  # RFC 5321 §4.1.3
    assert await exchangers(MemoryResolver(), domain, own_host=OWN, token=Tokens()) == Hosts((host,))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((), ("them.test",)),
        ((mx(0, ""),), ()),
        ((mx(20, "c"), mx(10, "B.Test"), mx(10, "a.test"), mx(10, "b.test")), ("a.test", "b.test")),
    ],
)
def test_a_provider_is_known_by_its_best_exchangers(
    found: tuple[MailExchanger, ...], expected: tuple[str, ...]
) -> None:
    assert best_hosts("them.test", found) == expected
