"""Proofs for an authority: not claimed to be shown before they are, and gone afterwards."""

from collections.abc import Collection, Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.errors import TryAgainLater
from mailstack.model.issuance import NotIssued, Proof, ProofMethod
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.proofs import DnsProver, ServerProver, WriteBeside, proof_records
from mailstack.reconcile.providers.certs import ACME_IDENTIFIER
from tests.support.fake_clock import FakeClock
from tests.support.memory_challenges import MemoryChallenges
from tests.support.memory_dns import MemoryDns

HOST = "mail.example.com"
NAME = f"_acme-challenge.{HOST}"


def proof(method: ProofMethod, host: str = HOST, value: str = "token.thumbprint") -> Proof:
    return Proof(method=method, host=host, token="token", value=value)


async def yes(_proof: Proof) -> bool:
    return True


async def test_a_proof_over_http_is_the_key_authorization_under_its_token() -> None:
    clock, held = FakeClock(), MemoryChallenges()
    prover = ServerProver(held, clock=clock, is_answered=yes)
    await prover.show([proof(ProofMethod.HTTP_01)])
    found = await held.find(ChallengeKind.HTTP_01, "token", now=clock())
    assert found is not None
    assert found.value == "token.thumbprint"
    await prover.withdraw([proof(ProofMethod.HTTP_01)])
    assert await held.find(ChallengeKind.HTTP_01, "token", now=clock()) is None


async def test_a_proof_over_tls_is_a_certificate_with_the_digest() -> None:
    clock, held = FakeClock(), MemoryChallenges()
    await ServerProver(held, clock=clock, is_answered=yes).show([proof(ProofMethod.TLS_ALPN_01)])
    found = await held.find(ChallengeKind.TLS_ALPN_01, HOST, now=clock())
    assert found is not None
    certificate = x509.load_pem_x509_certificate(found.value.encode())
    key = load_pem_private_key(found.value.encode(), None)
    assert certificate.public_key() == key.public_key()
    # RFC 8737 §3: critical, an OCTET STRING of 32 octets; and one name, the host's.
    extension = certificate.extensions.get_extension_for_oid(ACME_IDENTIFIER)
    assert extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value.startswith(b"\x04\x20")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST]


async def test_a_server_that_has_only_just_started_is_waited_for() -> None:
    answers = [False, False, True]

    async def third_time(_proof: Proof) -> bool:
        return answers.pop(0)

    await ServerProver(MemoryChallenges(), clock=FakeClock(), is_answered=third_time).show([proof(ProofMethod.HTTP_01)])
    assert answers == []


async def test_without_a_server_the_authority_is_not_asked_to_look() -> None:

    async def no(_proof: Proof) -> bool:
        return False

    prover = ServerProver(MemoryChallenges(), clock=FakeClock(), is_answered=no, within_s=0.0)
    with pytest.raises(NotIssued, match=r"listeners\.http\): is mailstack serve running\?"):
        await prover.show([proof(ProofMethod.HTTP_01)])


def prover_in(
    zones: Sequence[str],
    dns: MemoryDns,
    write: WriteBeside,
    *,
    within_s: float = 1.0,
    held: MemoryChallenges | None = None,
) -> DnsProver:
    return DnsProver(held or MemoryChallenges(), zones, dns, write, clock=FakeClock(), within_s=within_s)


class FullDisk(MemoryChallenges):
    async def put(self, challenge: Challenge) -> None:
        raise TryAgainLater(f"no room for {challenge.name}")

    async def remove(self, kind: ChallengeKind, name: str) -> None:
        raise TryAgainLater(f"no room to forget {kind} {name}")


async def test_a_store_that_fails_is_told_and_does_not_stop_the_end() -> None:
    prover = ServerProver(FullDisk(), clock=FakeClock(), is_answered=yes)
    with pytest.raises(NotIssued, match="the proof could not be kept: no room for token"):
        await prover.show([proof(ProofMethod.HTTP_01)])
    await prover.withdraw([proof(ProofMethod.HTTP_01)])


class Zone:
    """A provider whose zone `dns` shows; it lags behind at the servers named."""

    def __init__(self, dns: MemoryDns) -> None:
        self.dns = dns
        self.written: list[tuple[str, ...]] = []
        self.zones: set[str] = set()

    async def write(self, records: Sequence[RecordSet], zones: Collection[str]) -> None:
        self.zones |= set(zones)
        self.written.append(tuple(record.name for record in records))
        for record in records:
            self.dns.servers["ns1"][record.key] = record.values


async def test_a_proof_in_dns_is_written_seen_and_taken_away() -> None:
    zone = Zone(MemoryDns())
    prover = prover_in(("example.com",), zone.dns, zone.write)
    await prover.show([proof(ProofMethod.DNS_01)])
    assert (zone.written, zone.zones) == ([(NAME,)], {"example.com"})
    await prover.withdraw([proof(ProofMethod.DNS_01)])
    assert zone.written[-1] == ()


async def test_an_order_leaves_the_proofs_of_another_one_in_the_zone_where_they_are() -> None:
    zone, held = Zone(MemoryDns()), MemoryChallenges()
    first, second = (prover_in(("example.com",), zone.dns, zone.write, held=held) for _ in range(2))
    await first.show([proof(ProofMethod.DNS_01)])
    await second.show([proof(ProofMethod.DNS_01, "mta-sts.example.com")])
    await first.withdraw([proof(ProofMethod.DNS_01)])
    await second.withdraw([proof(ProofMethod.DNS_01, "mta-sts.example.com")])
    other = "_acme-challenge.mta-sts.example.com"
    assert zone.written == [(NAME,), (NAME, other), (other,), ()]


async def test_a_proof_that_a_secondary_does_not_have_yet_is_not_claimed() -> None:
    zone = Zone(MemoryDns(servers={"ns1": {}, "ns2": {}}))
    with pytest.raises(NotIssued, match=f"the TXT record {NAME} was written, and is not seen at ns2"):
        await prover_in(("example.com",), zone.dns, zone.write, within_s=0.0).show([proof(ProofMethod.DNS_01)])


async def test_where_nobody_can_be_asked_the_providers_word_has_to_do() -> None:
    zone = Zone(MemoryDns(failure="no network"))
    await prover_in(("example.com",), zone.dns, zone.write).show([proof(ProofMethod.DNS_01)])
    assert zone.written == [(NAME,)]


async def test_a_provider_that_fails_is_told_and_does_not_stop_the_end() -> None:
    async def fail(_records: Sequence[RecordSet], _zones: Collection[str]) -> None:
        raise TryAgainLater("the provider is down")

    prover = prover_in(("example.com",), MemoryDns(), fail)
    with pytest.raises(NotIssued, match="the proof could not be written: the provider is down"):
        await prover.show([proof(ProofMethod.DNS_01)])
    await prover.withdraw([proof(ProofMethod.DNS_01)])


def test_values_for_one_name_are_one_record_set() -> None:
    both = [proof(ProofMethod.DNS_01, value=value) for value in ("a", "b")]
    (record,) = proof_records(both)
    assert (record.key, record.values) == ((NAME, "TXT"), ("a", "b"))
