"""MTA-STS in a plan: enforced before its certificate is there, and taken away while senders remember it."""

from collections.abc import Mapping

import pytest

from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.resource import CertificateBody, Kind, Resource, fields_of
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.providers.certs import ECDSA, make_key, self_signed
from mailstack.reconcile.providers.mta_sts import ahead_of_certificate
from mailstack.reconcile.reconciler import Reconciler
from mailstack.reconcile.wanted import Wanted
from tests.support.memory_state import MemoryState
from tests.support.specs import SpecValue, spec_value

NOW = Instant(1_790_000_000_000)
HOST, POLICY_HOST = "mail.example.com", "mta-sts.example.com"
ACME = {"issuer": "acme", "acme": {"email": "postmaster@example.com"}}


def a_spec(policy: object, **settings: object) -> SpecValue:
    domain = {} if policy is None else {"mta_sts": policy}
    return spec_value({"domains": {"example.com": domain, "example.org": {}}, **settings})


def certificate(*names: str, issuer: str = "acme", authority: str = "https://ca.example/", chain: str = "") -> Wanted:
    """Of an authority that the test made; its leaf is signed by another name than its own."""
    made = chain or self_signed(names, NOW, make_key(ECDSA))[0]
    body = CertificateBody(issuer=issuer, names=names, certificate=made, not_after="", authority=authority)
    return Wanted(resource=Resource(kind=Kind.CERTIFICATE, name=names[0], fields=fields_of(body)))


def warnings(spec: SpecValue, *certificates: Wanted, now: Instant = NOW) -> list[str]:
    return [warning.text for warning in ahead_of_certificate(spec.spec, certificates, now)]


ENFORCE = {"mode": "enforce"}


def test_with_certificates_that_senders_accept_there_is_nothing_to_say() -> None:
    spec = a_spec(ENFORCE, tls=ACME)
    assert warnings(spec, certificate(HOST), certificate(POLICY_HOST)) == []
    assert warnings(spec, certificate("*.example.com")) == []


@pytest.mark.parametrize(
    "held",
    [
        (),
        (certificate(HOST, chain="nothing that can be read"),),
        (certificate(HOST, issuer="self-signed"),),
        (certificate(HOST, authority="https://acme-staging-v02.api.letsencrypt.org/directory"),),
        (certificate("mail.example.org"),),
        (certificate("*.mail.example.com"),),
    ],
)
def test_enforce_before_the_host_has_a_certificate_means_no_delivery(held: tuple[Wanted, ...]) -> None:
    (text,) = warnings(a_spec(ENFORCE, tls=ACME), *held)
    assert text == (
        "MTA-STS enforce is ahead of its certificate: none is issued yet for mail.example.com: senders do not deliver"
    )


def test_a_certificate_that_has_run_out_or_has_not_begun_is_none() -> None:
    held = (certificate(HOST), certificate(POLICY_HOST))
    for now in (Instant(NOW + 4_000 * DAY_MS), Instant(NOW - 4_000 * DAY_MS)):
        assert "senders do not deliver" in warnings(a_spec(ENFORCE, tls=ACME), *held, now=now)[0]


def test_a_policy_that_cannot_be_fetched_enforces_nothing() -> None:
    (text,) = warnings(a_spec(ENFORCE, tls=ACME), certificate(HOST))
    assert "none is issued yet for mta-sts.example.com: senders cannot fetch the policy" in text
    elsewhere = {"hostname": HOST, "listeners": {"https": []}}
    assert warnings(a_spec(ENFORCE, tls=ACME, server=elsewhere), certificate(HOST)) == []


@pytest.mark.parametrize(
    ("tls", "told"),
    [
        ({}, "a self-signed one is what there is for mail.example.com"),
        ({"issuer": "acme", "acme": {"directory": "letsencrypt-staging"}}, "letsencrypt-staging issues for tests"),
        ({"issuer": "files", "files": [{"certificate": "a", "key": "file/a"}]}, "no file of tls.files is one that"),
    ],
)
def test_why_there_is_none_is_said_in_the_words_of_the_issuer(tls: Mapping[str, object], told: str) -> None:
    assert told in warnings(a_spec(ENFORCE, tls=tls))[0]


@pytest.mark.parametrize("policy", [None, {"mode": "testing"}, {"mode": "none"}])
def test_what_enforces_nothing_needs_no_certificate(policy: object) -> None:
    assert warnings(a_spec(policy, tls=ACME)) == []


def reconciler(state: MemoryState) -> Reconciler:
    brake = Brake(holders=nobody, allowed=EVERYTHING_ALLOWED)
    return Reconciler(state=state, clock=lambda: NOW, hash_password=str, brake=brake)


async def change(before: SpecValue, after: SpecValue) -> list[str]:
    """What the plan of the change says of a policy that is taken away."""
    state = MemoryState()
    await reconciler(state).apply(await reconciler(state).plan(before))
    plan = (await reconciler(state).plan(after)).plan
    return [warning.text for warning in plan.warnings if "taken away" in warning.text]


async def test_a_plan_of_enforce_with_a_certificate_of_ones_own_says_so() -> None:
    plan = (await reconciler(MemoryState()).plan(a_spec(ENFORCE))).plan
    assert [warning.subject for warning in plan.warnings if "MTA-STS enforce" in warning.text] == ["domain example.com"]


async def test_a_policy_that_is_taken_away_at_once_is_told_with_the_way_that_is_safe() -> None:
    (text,) = await change(a_spec({"mode": "enforce", "max_age": "36h"}), a_spec(None))
    assert "for up to 2 days more" in text
    assert "`mta_sts: {mode: none, max_age: 1d}`, wait 2 days" in text


async def test_a_domain_that_goes_with_its_policy_is_told_too() -> None:
    assert len(await change(a_spec(ENFORCE), spec_value({"domains": {"example.org": {}}}))) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"mode": "enforce"}, {"mode": "none"}),
        ({"mode": "enforce"}, {"mode": "testing"}),
        ({"mode": "testing"}, None),
        ({"mode": "none"}, None),
        (None, {"mode": "enforce"}),
    ],
)
async def test_every_other_change_of_a_policy_needs_no_such_word(before: object, after: object) -> None:
    assert await change(a_spec(before), a_spec(after)) == []
