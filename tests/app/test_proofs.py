"""Proofs of host names in a worker: shown while the store has them, and no longer."""

import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.messages import Job
from mailstack.app.proofs import ProofKeeper
from mailstack.app.store_address import StoreAddress
from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.net.tls_proofs import TlsProofs
from tests.support.running import until
from tests.support.wakes import eventually

NAME = "mail.example.com"


@pytest.fixture
async def adapters(tmp_path: Path) -> AsyncIterator[Adapters]:
    settings = RunSettings(
        storage=StoreAddress(folder=tmp_path), job=Job(spec=""), trust_loopback=False, hold_outbound=False
    )
    opened = await open_adapters(settings)
    yield opened
    await opened.close()


def proof(adapters: Adapters, name: str, value: str = "") -> Challenge:
    issued = trustme.CA().issue_cert(name)
    pem = (issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes()).decode()
    until_ = Instant(adapters.clock() + HOUR_MS)
    return Challenge(kind=ChallengeKind.TLS_ALPN_01, name=name, value=value or pem, until=until_)


async def until_watched(front: ssl.SSLContext, *, is_on: bool) -> None:
    async def holds() -> bool:
        return (front._msg_callback is not None) is is_on  # type: ignore[attr-defined]  # has a private name

    await until(holds)


async def test_a_proof_is_shown_from_when_it_is_left_until_it_is_removed(adapters: Adapters) -> None:
    proofs, front = TlsProofs(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    proofs.guard(front)
    keeper = ProofKeeper(adapters, proofs)
    try:
        await adapters.store.challenges.put(proof(adapters, NAME))
        await until_watched(front, is_on=True)
        await adapters.store.challenges.remove(ChallengeKind.TLS_ALPN_01, NAME)
        await until_watched(front, is_on=False)
    finally:
        await keeper.end()


class ProofsThatFail(TlsProofs):
    """Once."""

    has_failed = False

    def show(self, contexts: Mapping[str, ssl.SSLContext]) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise ZeroDivisionError
        super().show(contexts)


async def test_a_bug_met_on_the_way_leaves_later_proofs_to_be_shown(
    adapters: Adapters, capsys: pytest.CaptureFixture[str]
) -> None:
    proofs, front = ProofsThatFail(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    proofs.guard(front)
    keeper = ProofKeeper(adapters, proofs)
    try:
        await eventually(lambda: proofs.has_failed)
        await adapters.store.challenges.put(proof(adapters, NAME))
        await until_watched(front, is_on=True)
    finally:
        await keeper.end()
    assert "not shown" in capsys.readouterr().out


async def test_a_proof_that_was_there_before_the_worker_is_shown(adapters: Adapters) -> None:
    await adapters.store.challenges.put(proof(adapters, NAME))
    proofs, front = TlsProofs(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    proofs.guard(front)
    keeper = ProofKeeper(adapters, proofs)
    try:
        await until_watched(front, is_on=True)
    finally:
        await keeper.end()


async def test_a_proof_that_cannot_be_used_is_said_and_hides_no_other(adapters: Adapters) -> None:
    proofs, front = TlsProofs(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    proofs.guard(front)
    await adapters.store.challenges.put(proof(adapters, "a.example.com", value="no PEM"))
    await adapters.store.challenges.put(proof(adapters, NAME))
    with capture_logs() as lines:
        keeper = ProofKeeper(adapters, proofs)
        try:
            await until_watched(front, is_on=True)
        finally:
            await keeper.end()
    assert [line["name"] for line in lines if line["log_level"] == "warning"] == ["a.example.com"]
