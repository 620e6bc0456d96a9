"""What mail needs of DNS beside its records, against a resolver in memory."""

from collections.abc import Sequence

import pytest

from mailstack.reconcile.dns.health import Remark, health
from mailstack.spec.model import Spec
from tests.support.memory_dns import MemoryDns
from tests.support.specs import spec_value

ADDRESS, REVERSE = "192.88.98.1", "1.98.88.192.in-addr.arpa"


def spec(*, dane: bool = False, addresses: Sequence[object] = (), **zone: object) -> Spec:
    return spec_value(
        {
            "server": {"hostname": "mail.example.se", "addresses": addresses},
            "domains": {"example.se": {}},
            "tls": {"dane": dane},
            "dns": {"providers": {"p": {"class": "a.B"}}, "zones": {"example.se": {"provider": "p", **zone}}},
        }
    ).spec


async def the_remark(wanted: Spec, live_dns: MemoryDns, *nameservers: str) -> Remark:
    (found,) = await health(wanted, live_dns, {"example.se": nameservers})
    return found


@pytest.mark.parametrize(
    ("names", "is_good", "told"),
    [
        (("mail.example.se.",), True, "names mail.example.se"),
        ((), False, "has no PTR record"),
        (("host-1.provider.se.",), False, "names host-1.provider.se, not mail.example.se"),
        (("other.se.", "mail.example.se."), True, "names mail.example.se"),
        (("a.provider.se.", "b.provider.se."), False, "names a.provider.se, b.provider.se, not mail.example.se"),
    ],
)
async def test_an_address_should_have_the_hosts_name(names: tuple[str, ...], is_good: bool, told: str) -> None:
    remark = await the_remark(spec(addresses=(ADDRESS,)), MemoryDns(public={(REVERSE, "PTR"): names}))
    assert remark.subject == f"address {ADDRESS}"
    assert (remark.is_good, told in remark.text) == (is_good, True)


async def test_an_address_with_a_name_of_its_own_should_have_that() -> None:
    wanted = spec(addresses=({"address": ADDRESS, "name": "out.example.se"},))
    good = await the_remark(wanted, MemoryDns(public={(REVERSE, "PTR"): ("out.example.se.",)}))
    bad = await the_remark(wanted, MemoryDns(public={(REVERSE, "PTR"): ("mail.example.se.",)}))
    assert (good.is_good, bad.is_good) == (True, False)
    assert "names mail.example.se, not out.example.se" in bad.text


async def test_nobody_is_asked_about_addresses_that_are_not_public() -> None:
    live_dns = MemoryDns()
    assert await health(spec(addresses=("10.0.0.1", "203.0.113.1", "::1", "2001:db8::1")), live_dns, {}) == ()
    assert live_dns.asked == []


@pytest.mark.parametrize(("values", "is_good"), [(("12345 13 2 ABCD",), True), ((), False)])
async def test_dane_needs_a_signed_zone(values: tuple[str, ...], is_good: bool) -> None:
    remark = await the_remark(spec(dane=True), MemoryDns(public={("example.se", "DS"): values}))
    assert (remark.subject, remark.is_good) == ("dns_zone example.se", is_good)


async def test_dane_needs_the_zones_of_all_domains_signed() -> None:
    wanted = spec_value(
        {
            "server": {"hostname": "mail.example.se"},
            "domains": {"example.se": {}, "sub.example.se": {}, "other.se": {}},
            "tls": {"dane": True},
            "dns": {"zones": {"example.se": {"provider": "manual"}, "other.se": {"provider": "manual"}}},
        }
    ).spec
    found = await health(wanted, MemoryDns(public={("example.se", "DS"): ("1 13 2 AB",)}), {})
    assert {remark.subject: remark.is_good for remark in found} == {
        "dns_zone example.se": True,
        "dns_zone other.se": False,
    }


async def test_without_dane_no_signature_is_missed() -> None:
    assert await health(spec(), MemoryDns(), {}) == ()


@pytest.mark.parametrize(
    ("delegated", "is_good", "told"),
    [
        (("ns1.p.se.", "ns2.p.se."), True, "delegated to the servers"),
        (("ns.elsewhere.se.",), False, "delegated to ns.elsewhere.se; the provider writes for NS1.p.se"),
        ((), False, "delegated to nobody"),
    ],
)
async def test_a_zone_should_be_delegated_to_its_provider(delegated: tuple[str, ...], is_good: bool, told: str) -> None:
    remark = await the_remark(spec(), MemoryDns(public={("example.se", "NS"): delegated}), "NS1.p.se.")
    assert (remark.is_good, told in remark.text) == (is_good, True)


async def test_a_zone_with_servers_of_its_own_need_not_be_delegated() -> None:
    assert await health(spec(nameservers=["127.0.0.1:53"]), MemoryDns(), {"example.se": ("ns1.p.se.",)}) == ()


async def test_what_cannot_be_learned_is_neither_good_nor_bad() -> None:
    remark = await the_remark(spec(addresses=(ADDRESS,)), MemoryDns(failure="DNS does not answer"))
    assert (remark.is_good, remark.text) == (None, "DNS does not answer")
