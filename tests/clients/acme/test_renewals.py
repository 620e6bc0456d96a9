"""Renewal windows, replaced certificates, contacts and slow orders at a real authority: pebble, behind a front."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate

import pytest
from cryptography import x509

from mailstack.app.clock import system_clock
from mailstack.clients.acme.issuer import AcmeIssuer
from mailstack.clients.acme.renewal import certificate_id
from mailstack.model.instant import DAY_MS, Instant, iso
from mailstack.model.issuance import NotIssued
from tests.clients.acme.conftest import PebbleProver, new_key, order_of
from tests.support.acme_front import Front, front_of
from tests.support.pebble import Pebble

START, END = Instant(1_900_000_000_000), Instant(1_900_000_000_000 + DAY_MS)
WINDOW = {"suggestedWindow": {"start": iso(START), "end": iso(END)}, "explanationURL": "https://pebble.example/why"}


@pytest.fixture
def front(pebble: Pebble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front_of(pebble, tmp_path_factory.mktemp("front")) as found:
        yield found


def issuer() -> AcmeIssuer:
    return AcmeIssuer(clock=system_clock)


async def test_a_new_certificate_comes_with_the_window_to_renew_it_in(front: Front) -> None:
    front.window = WINDOW
    order = order_of(front.pebble)
    issued = await issuer().issue(order, PebbleProver(pebble=front.pebble))
    assert issued.renewal is not None
    assert (issued.renewal.start, issued.renewal.end) == (START, END)
    assert issued.renewal.page == "https://pebble.example/why"
    assert front.asked == [certificate_id(issued.chain)]
    assert issued.registration.caa_names == ("pebble.example",)
    assert issued.registration.uri.startswith(front.pebble.directory.removesuffix("dir"))
    assert (await issuer().renewals(order.account, {"mail": issued.chain})) == {"mail": issued.renewal}


async def test_an_authority_that_says_nothing_of_a_certificate_costs_no_certificate(front: Front) -> None:
    order = order_of(front.pebble)
    issued = await issuer().issue(order, PebbleProver(pebble=front.pebble))
    assert issued.renewal is None
    assert (await issuer().renewals(order.account, {"mail": issued.chain})) == {}


async def test_a_directory_without_windows_is_asked_for_none(pebble: Pebble) -> None:
    order = order_of(pebble)
    issued = await issuer().issue(order, PebbleProver(pebble=pebble))
    again = replace(order, replaces=issued.chain, key=new_key())
    assert (await issuer().issue(again, PebbleProver(pebble=pebble))).renewal is None


async def test_renewals_of_an_authority_that_is_down_are_told_as_such(pebble: Pebble) -> None:
    account = replace(order_of(pebble).account, directory="https://127.0.0.1:1/dir")
    with pytest.raises(NotIssued, match="cannot be reached"):
        await issuer().renewals(account, {"mail": "nonsense"})


async def test_an_order_names_what_it_replaces_and_goes_on_where_that_has_a_successor(front: Front) -> None:
    order, prover = order_of(front.pebble), PebbleProver(pebble=front.pebble)
    first = await issuer().issue(order, prover)
    name = certificate_id(first.chain)
    second = await issuer().issue(replace(order, replaces=first.chain), prover)
    assert front.replaced == ["", name]
    front.refused = {name}
    third = await issuer().issue(replace(order, replaces=first.chain), prover)
    assert front.replaced == ["", name, name, ""]
    assert len({first.chain, second.chain, third.chain}) == 3


async def test_an_account_that_exists_is_told_whom_to_write_to_and_to_write_to_nobody(front: Front) -> None:
    account = replace(order_of(front.pebble).account, email="a@example.com")
    made = await issuer().tell_contact(account)
    assert front.contacts == [["mailto:a@example.com"]]
    told = await issuer().tell_contact(replace(account, email="b@example.com"))
    await issuer().tell_contact(replace(account, email=""))
    assert ["mailto:b@example.com"] in front.contacts
    assert front.contacts[-1] == []
    assert made.uri == told.uri


async def test_a_contact_that_the_authority_does_not_take_is_told(front: Front) -> None:
    account = replace(order_of(front.pebble).account, email="a@example.com")
    await issuer().tell_contact(account)
    with pytest.raises(NotIssued, match=r"does not take the address in tls\.acme\.email"):
        await issuer().tell_contact(replace(account, email="no address"))


@pytest.fixture(params=["America/Los_Angeles", "Asia/Tokyo"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    former = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ |= {} if former is None else {"TZ": former}
    if former is None:
        del os.environ["TZ"]
    time.tzset()


@pytest.mark.usefixtures("zone")
async def test_an_order_that_takes_its_time_is_waited_for_wherever_the_server_is(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", noted)
    front.looks, front.processing = 2, lambda: formatdate(time.time() + 2, usegmt=True)
    issued = await issuer().issue(order_of(front.pebble), PebbleProver(pebble=front.pebble))
    assert x509.load_pem_x509_certificates(issued.chain.encode())
    # A date is read as what it is, not as one of the machine's own zone, some hours away.
    assert len(pauses) >= 2
    assert all(seconds <= 2.1 for seconds in pauses)
