"""Certificates ordered from a real authority, and everything that it may say instead."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mailstack.clients.acme.issuer import AcmeIssuer
from mailstack.model.instant import Instant
from mailstack.model.issuance import AcmeAccount, NotIssued, Order, Proof, ProofMethod
from tests.clients.acme.conftest import PebbleProver, new_key, order_of
from tests.support.fake_clock import FakeClock
from tests.support.pebble import Pebble, running_pebble

NAMES = ("mail.example.com", "mta-sts.example.com")


def issuer() -> AcmeIssuer:
    return AcmeIssuer(clock=FakeClock())


@pytest.mark.parametrize("method", list(ProofMethod))
async def test_a_chain_for_the_orders_own_key_and_names(pebble: Pebble, method: ProofMethod) -> None:
    order, prover = order_of(pebble, *NAMES, method=method), PebbleProver(pebble=pebble)
    leaf, *rest = x509.load_pem_x509_certificates((await issuer().issue(order, prover)).chain.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == set(NAMES)
    assert leaf.public_key() == load_pem_private_key(order.key.encode(), None).public_key()
    leaf.verify_directly_issued_by(rest[0])
    assert sorted(prover.shown) == sorted(prover.withdrawn) == sorted(NAMES)


async def test_an_account_is_found_again_by_its_key(pebble: Pebble) -> None:
    prover, account_key = PebbleProver(pebble=pebble), new_key()
    for _ in range(2):
        await issuer().issue(order_of(pebble, account_key=account_key), prover)
    assert len(prover.shown) == 2


async def test_a_wrong_answer_is_told_with_the_host_and_what_to_do(pebble: Pebble) -> None:
    prover = PebbleProver(pebble=pebble, is_lying=True)
    with pytest.raises(NotIssued, match=r"at port 80 of mail\.example\.com: its A and AAAA records must lead to this"):
        await issuer().issue(order_of(pebble), prover)
    assert prover.withdrawn == ["mail.example.com"]


async def test_a_closed_port_is_told(tmp_path: Path) -> None:
    with running_pebble(tmp_path, answers=False) as closed:
        order = order_of(closed)
        with pytest.raises(NotIssued, match=r"cannot connect to port 80 of mail\.example\.com: open it"):
            await issuer().issue(order, Nobody())


async def test_a_way_of_proof_that_is_not_offered_is_told(pebble: Pebble) -> None:
    order = order_of(pebble, "*.example.com", method=ProofMethod.HTTP_01)
    with pytest.raises(NotIssued, match="cannot be proved by http-01 there; offered: dns-01"):
        await issuer().issue(order, Nobody())


async def test_half_of_all_nonces_refused_do_not_stop_an_order(tmp_path: Path) -> None:
    with running_pebble(tmp_path, environment={"PEBBLE_WFE_NONCEREJECT": "50"}) as storm:
        assert "BEGIN CERTIFICATE" in (await issuer().issue(order_of(storm), PebbleProver(pebble=storm))).chain


async def test_an_account_that_the_authority_must_know_already(tmp_path: Path) -> None:
    mac = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    settings = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {"kid-1": mac}}
    with running_pebble(tmp_path, settings=settings) as known:
        order = order_of(known)
        with pytest.raises(NotIssued, match=r"set tls\.acme\.eab"):
            await issuer().issue(order, PebbleProver(pebble=known))
        bound = replace(order, account=replace(order.account, eab_key_id="kid-1", eab_key=mac))
        assert "BEGIN CERTIFICATE" in (await issuer().issue(bound, PebbleProver(pebble=known))).chain


async def test_a_name_that_the_authority_does_not_issue_for(tmp_path: Path) -> None:
    with running_pebble(tmp_path, settings={"domainBlocklist": ["blocked.example"]}) as strict:
        order = order_of(strict, "mail.blocked.example")
        with pytest.raises(NotIssued, match=r"does not issue for mail\.blocked\.example"):
            await issuer().issue(order, Nobody())


async def test_a_directory_that_is_down_is_told(pebble: Pebble) -> None:
    order = order_of(pebble)
    down = replace(order, account=replace(order.account, directory="https://127.0.0.1:1/dir"))
    with pytest.raises(NotIssued, match=r"the authority cannot be reached: https://127\.0\.0\.1:1/dir"):
        await issuer().issue(down, Nobody())


async def test_a_directory_whose_certificate_is_not_trusted_is_told(pebble: Pebble) -> None:
    order = order_of(pebble)
    strange = replace(order, account=replace(order.account, ca_file=""))
    with pytest.raises(NotIssued, match=r"the authority's own certificate is not trusted.*tls\.acme\.ca"):
        await issuer().issue(strange, Nobody())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"newNonce": 7}', b"\xff\xfe", b"null"])
async def test_an_url_that_is_no_directory_is_told(body: bytes) -> None:
    async with answering("200 OK", body) as url:
        with pytest.raises(NotIssued, match=f"{url} does not answer as an ACME directory"):
            await issuer().issue(order_of_url(url), Nobody())


async def test_a_rate_limit_is_told_with_its_end() -> None:
    problem = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates"}
    async with answering("429 Too Many Requests", json.dumps(problem).encode(), "Retry-After: 7200") as url:
        with pytest.raises(NotIssued, match=r"issues no more for mail\.example\.com until 2023-11-15") as caught:
            await issuer().issue(order_of_url(url), Nobody())
    assert caught.value.not_before == Instant(FakeClock().now + 7_200_000)
    assert "too many certificates" in caught.value.reason


async def test_an_authority_that_is_shut_for_a_while_is_asked_when_it_opens() -> None:
    async with answering("503 Service Unavailable", b"<html>maintenance</html>", "Retry-After: 7200") as url:
        with pytest.raises(NotIssued, match=f"{url} does not answer as an ACME directory .status 503.") as caught:
            await issuer().issue(order_of_url(url), Nobody())
    assert caught.value.not_before == Instant(FakeClock().now + 7_200_000)


async def test_an_account_that_may_order_nothing_is_not_told_as_a_wrong_proof() -> None:
    problem = {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "the account is deactivated"}
    async with answering("403 Forbidden", json.dumps(problem).encode()) as url:
        with pytest.raises(NotIssued, match=r"lets this server's account order nothing .*account is deactivated"):
            await issuer().issue(order_of_url(url), Nobody())


async def test_a_cancelled_order_withdraws_its_proofs(pebble: Pebble) -> None:
    prover = Nobody(waits=True)
    task = asyncio.create_task(issuer().issue(order_of(pebble), prover))
    await prover.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert prover.withdrawn == ["mail.example.com"]


class Nobody:
    """Shows nothing, and waits for ever where it is told to."""

    def __init__(self, *, waits: bool = False) -> None:
        self.asked = asyncio.Event()
        self.withdrawn: list[str] = []
        self._waits = waits

    async def show(self, _proofs: Sequence[Proof]) -> None:
        self.asked.set()
        if self._waits:
            await asyncio.Event().wait()

    async def withdraw(self, proofs: Sequence[Proof]) -> None:
        self.withdrawn += [proof.host for proof in proofs]


def order_of_url(url: str) -> Order:
    account = AcmeAccount(directory=url, key=new_key())
    return Order(account=account, names=("mail.example.com",), key=new_key(), method=ProofMethod.HTTP_01)


@asynccontextmanager
async def answering(status: str, body: bytes, *headers: str) -> AsyncIterator[str]:
    """The URL of a server that says the same to everybody. Plain HTTP, which no spec can name."""
    head = [f"HTTP/1.1 {status}", "Connection: close", f"Content-Length: {len(body)}", *headers]
    head.append(f"Content-Type: application/{'json' if status.startswith('2') else 'problem+json'}")
    answer = "\r\n".join((*head, "", "")).encode() + body

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/dir"
