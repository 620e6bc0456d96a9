"""When a certificate is ordered from an authority, and when it is not: spec, live state, time and failures."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from mailstack.model.ids import Generation
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant, iso
from mailstack.model.issuance import IssuanceFailure
from mailstack.model.resource import (
    AcmeAccountBody,
    CertificateBody,
    Json,
    Kind,
    Resource,
    Snapshot,
    body_of,
    fields_of,
)
from mailstack.reconcile.actual import NOTHING
from mailstack.reconcile.dns.live import Seen
from mailstack.reconcile.providers.acme import (
    BACK_OFF_MS,
    LEFT_TO_SERVE,
    NO_ORDERING,
    RENEWALS_ASKED_EVERY_MS,
    Ordering,
    Outlook,
    certificate_groups,
    contact_name,
    is_order,
    order_mark,
    outlook,
    renew_at,
    renewal_at,
    retry_at,
    wanted_accounts,
)
from mailstack.reconcile.providers.certs import lifetime_of, self_signed
from mailstack.reconcile.providers.key_roll import Watched
from mailstack.reconcile.wanted import Wanted
from mailstack.spec.model import Spec
from tests.support.specs import spec_value

HOST = "mail.example.com"
NOW = Instant(1_790_000_000_000)
LIFETIME = lifetime_of(self_signed((HOST,), NOW)[0])
LIFETIME_DAYS = 825  # of the chains that stand in for an authority's here
ABLE = Ordering(can_order=True)
AUTHORITY = "https://acme-v02.api.letsencrypt.org/directory"


def spec_of(acme: Mapping[str, object] | None = None, **settings: object) -> Spec:
    return spec_value({"tls": {"issuer": "acme", "acme": acme or {}}, **settings}).spec


def held(**changes: Json) -> Snapshot:
    chain, _ = self_signed((HOST,), NOW)
    body = CertificateBody(
        issuer="acme", names=(HOST,), certificate=chain, not_after="", authority=AUTHORITY, key_type="ecdsa256"
    )
    fields = {**fields_of(body), **changes}
    resource = Resource(kind=Kind.CERTIFICATE, name=HOST, fields=fields, digests={"key": "d"})
    return Snapshot(generation=Generation(1), spec_hash="", resources={(Kind.CERTIFICATE, HOST): resource})


def look(
    live: Snapshot,
    *,
    now: Instant = NOW,
    ordering: Ordering = ABLE,
    acme: Mapping[str, object] | None = None,
    dns: Watched | None = None,
) -> Outlook:
    return outlook((HOST,), spec_of(acme).tls.acme, live, now, ordering, dns)


def days(count: float) -> Instant:
    return Instant(NOW + round(count * DAY_MS))


def test_the_hosts_certificate_is_apart_from_each_domains() -> None:
    sts = {"mta_sts": {"mode": "testing"}}
    spec = spec_of(domains={"example.com": sts, "example.org": {}, "example.net": sts})
    assert certificate_groups(spec) == ((HOST,), ("mta-sts.example.com",), ("mta-sts.example.net",))


def test_the_hosts_of_settings_are_apart_from_the_policys() -> None:
    spec = spec_of(domains={"example.com": {"mta_sts": {"mode": "testing"}, "autoconfig": True}})
    hosts = ("autoconfig.example.com", "autodiscover.example.com", "ua-auto-config.example.com")
    assert certificate_groups(spec) == ((HOST,), ("mta-sts.example.com",), hosts)


def test_a_host_that_is_a_domains_policy_host_too_has_one_certificate() -> None:
    host = {"hostname": "mta-sts.example.com"}
    spec = spec_of(server=host, domains={"example.com": {"mta_sts": {"mode": "testing"}}})
    assert certificate_groups(spec) == (("mta-sts.example.com",),)


def test_a_new_one_is_ordered() -> None:
    wanted = look(NOTHING).wanted
    assert wanted is not None
    assert is_order(wanted)
    assert (wanted.reason, wanted.made) == ("ordered from Let's Encrypt", ("certificate", "not_after", "key"))


def test_one_that_is_held_is_kept_until_a_third_of_its_life_is_left() -> None:
    live = held()
    found = look(live)
    assert found.wanted is not None
    assert not is_order(found.wanted)
    assert found.again_at is not None
    assert days(LIFETIME_DAYS * (2 / 3 - 1 / 30) - 1) < found.again_at <= days(LIFETIME_DAYS * 2 / 3)
    before, at = (look(live, now=Instant(found.again_at + shift)).wanted for shift in (-1, 0))
    assert before is not None
    assert at is not None
    assert (is_order(before), is_order(at)) == (False, True)
    assert at.reason.startswith("renewed: ")


def test_a_renewal_keeps_the_key() -> None:
    wanted = look(held(), now=days(LIFETIME_DAYS - 1)).wanted
    assert wanted is not None
    assert wanted.made == ("certificate", "not_after")
    assert wanted.resource.digests == {"key": "d"}


def test_renewals_of_servers_set_up_together_part() -> None:
    lifetime = lifetime_of(self_signed((HOST,), NOW)[0])
    moments = {renew_at(f"mail{number}.example.com", lifetime) for number in range(50)}
    assert len(moments) == 50
    assert renew_at(HOST, lifetime) == renew_at(HOST, lifetime)


@pytest.mark.parametrize(
    ("changes", "acme", "reason"),
    [
        ({"authority": "https://other.example/dir"}, {}, "ordered anew from Let's Encrypt"),
        ({"names": [HOST, "www.example.com"]}, {}, "ordered anew: its names change"),
        ({}, {"key": "rsa2048"}, "ordered anew: another kind of key"),
        ({"issuer": "self-signed", "authority": ""}, {}, "ordered from Let's Encrypt"),
        ({"issuer": "files", "authority": "", "key_type": ""}, {}, "ordered from Let's Encrypt"),
        ({"certificate": "nonsense"}, {}, "ordered from Let's Encrypt"),
        ({}, {"directory": "letsencrypt-staging"}, "ordered anew from Let's Encrypt (staging)"),
    ],
)
def test_what_is_ordered_anew(changes: Mapping[str, Json], acme: Mapping[str, object], reason: str) -> None:
    wanted = look(held(**changes), acme=acme).wanted
    assert wanted is not None
    assert is_order(wanted)
    assert wanted.reason == reason


def test_a_self_signed_one_gives_its_key_to_the_real_one() -> None:
    temporary = held(issuer="self-signed", authority="")
    wanted = look(temporary).wanted
    assert wanted is not None
    assert "key" not in wanted.made
    other_kind = look(temporary, acme={"key": "rsa2048"}).wanted
    assert other_kind is not None
    assert "key" in other_kind.made


def failure(tries: int = 1) -> IssuanceFailure:
    mark = order_mark((HOST,), spec_of().tls.acme)
    later = Instant(NOW + HOUR_MS)
    return IssuanceFailure(
        name=HOST, order=mark, reason="port 80 is closed", tries=tries, failed_at=NOW, retry_at=later
    )


def test_a_failed_order_waits_and_says_why() -> None:
    found = look(held(issuer="self-signed"), ordering=Ordering(can_order=True, failures={HOST: failure(3)}))
    assert found.wanted is not None
    assert not is_order(found.wanted)
    assert found.again_at == NOW + HOUR_MS
    assert found.warning is not None
    assert "(3 times now): port 80 is closed; tried again after 2026-09-21 15:13 UTC" in found.warning.text
    assert "the one in use is good for 824 days more" in found.warning.text


def test_a_failed_order_of_a_new_certificate_leaves_a_self_signed_one() -> None:
    assert look(NOTHING, ordering=Ordering(can_order=True, failures={HOST: failure()})).wanted is None


def test_a_failed_order_is_tried_again_when_its_time_has_come() -> None:
    ordering = Ordering(can_order=True, failures={HOST: failure()})
    wanted = look(NOTHING, now=Instant(NOW + HOUR_MS), ordering=ordering).wanted
    assert wanted is not None
    assert is_order(wanted)


@pytest.mark.parametrize(
    "acme",
    [
        {"challenge": "tls-alpn-01"},
        {"key": "rsa2048"},
        {"email": "hostmaster@example.com"},
        {"ca": "authority.pem"},
        {"eab": {"key_id": "1", "key": "env/EAB"}},
    ],
)
def test_another_order_does_not_wait_for_the_failed_one(acme: Mapping[str, object]) -> None:
    ordering = Ordering(can_order=True, failures={HOST: failure()})
    wanted = look(NOTHING, ordering=ordering, acme=acme).wanted
    assert wanted is not None
    assert is_order(wanted)


def test_what_cannot_be_ordered_here_is_left_to_the_server() -> None:
    found = look(held(issuer="self-signed"), ordering=Ordering(why_not=LEFT_TO_SERVE))
    assert found.wanted is not None
    assert not is_order(found.wanted)
    assert found.warning is not None
    assert "mailstack serve orders it when it runs" in found.warning.text
    assert look(NOTHING, ordering=NO_ORDERING) == Outlook(wanted=None)


def test_tries_come_later_each_time_and_never_before_the_authority_wants() -> None:
    waits = [retry_at(NOW, tries, None) - NOW for tries in range(1, 20)]
    assert waits == sorted(waits)
    assert waits[0] == 5 * MINUTE_MS
    assert waits[-1] == BACK_OFF_MS[-1] == DAY_MS
    assert retry_at(NOW, 1, days(7)) == days(7)
    assert retry_at(NOW, 9, Instant(NOW + 1)) == NOW + DAY_MS


def accounts(spec: Spec, live: Snapshot, ordering: Ordering = NO_ORDERING) -> list[Wanted]:
    return [look.wanted for look in wanted_accounts(spec, live, NOW, ordering) if look.wanted is not None]


def known_account(email: str) -> Resource:
    return Resource(kind=Kind.ACME_ACCOUNT, name=AUTHORITY, fields=fields_of(AcmeAccountBody(email=email)))


def knowing(email: str) -> Snapshot:
    return replace(NOTHING, resources={(Kind.ACME_ACCOUNT, AUTHORITY): known_account(email)})


def test_accounts_are_made_once_for_each_authority_and_never_dropped() -> None:
    (new,) = accounts(spec_of({"email": "a@example.com"}), NOTHING)
    assert (new.resource.name, new.made, new.resource.fields["email"]) == (AUTHORITY, ("key",), "a@example.com")
    old, live = known_account("a@example.com"), knowing("a@example.com")
    assert [item.resource for item in accounts(spec_of({"email": "a@example.com"}), live)] == [old]
    staging = accounts(spec_of({"directory": "letsencrypt-staging"}), live)
    assert [bool(item.made) for item in staging] == [False, True]
    assert [item.resource for item in accounts(spec_value({}).spec, live)] == [old]


ASKING = Ordering(can_ask=True)


def test_an_authority_is_told_of_another_contact_once_it_can_be_asked() -> None:
    spec = spec_of({"email": "b@example.com"})
    (told,) = accounts(spec, knowing("a@example.com"), ASKING)
    assert (told.resource.fields["email"], told.reason) == ("b@example.com", "Let's Encrypt is told")
    (taken_away,) = accounts(spec_of(), knowing("a@example.com"), ASKING)
    assert taken_away.resource.fields["email"] == ""
    for same in (
        accounts(spec, knowing("a@example.com")),
        accounts(spec_value({}).spec, knowing("a@example.com"), ASKING),
    ):
        assert [item.resource for item in same] == [known_account("a@example.com")]


def test_a_contact_that_was_refused_is_told_again_later_and_the_plan_says_why() -> None:
    spec = spec_of({"email": "b@example.com"})
    refused = replace(
        failure(), name=contact_name(AUTHORITY), order=order_mark((), spec.tls.acme), reason="no such host"
    )
    ordering = Ordering(can_ask=True, failures={refused.name: refused})
    (found,) = wanted_accounts(spec, knowing("a@example.com"), NOW, ordering)
    assert found.wanted is not None
    assert (found.wanted.resource, found.again_at) == (known_account("a@example.com"), refused.retry_at)
    assert found.warning is not None
    assert "does not know b@example.com yet: no such host; tried again after 2026-09-21 15:13" in found.warning.text
    (later,) = wanted_accounts(spec, knowing("a@example.com"), refused.retry_at, ordering)
    assert later.wanted is not None
    assert later.wanted.resource.fields["email"] == "b@example.com"


def suggested(start: Instant, end: Instant, page: str = "") -> Snapshot:
    return held(renew_from=iso(start), renew_until=iso(end), renewal_page=page)


def test_an_authority_that_suggests_when_to_renew_is_followed() -> None:
    start, end = days(100), days(102)
    live = suggested(start, end, "https://authority.example/incident")
    moment = renewal_at(body_of(CertificateBody, live.resources[Kind.CERTIFICATE, HOST]), LIFETIME)
    assert start <= moment <= end
    before, at = (look(live, now=Instant(moment + shift)) for shift in (-1, 0))
    assert before.wanted is not None
    assert not is_order(before.wanted)
    assert before.again_at == moment
    assert at.wanted is not None
    assert is_order(at.wanted)
    assert at.wanted.reason.endswith("and the authority suggests it (https://authority.example/incident)")


def test_a_suggestion_is_asked_for_again_within_hours() -> None:
    assert look(suggested(days(500), days(501))).again_at == NOW + RENEWALS_ASKED_EVERY_MS


@pytest.mark.parametrize(
    ("start", "end", "soonest", "latest"),
    [
        (days(-300), days(-299), 0.9, 1.1),  # one that is over already would be followed by orders without an end
        (days(5_000), days(5_001), LIFETIME_DAYS * 0.9 - 1, LIFETIME_DAYS * 0.9),
    ],
)
def test_a_suggestion_beyond_reason_is_bounded(start: Instant, end: Instant, soonest: float, latest: float) -> None:
    moment = renewal_at(body_of(CertificateBody, suggested(start, end).resources[Kind.CERTIFICATE, HOST]), LIFETIME)
    assert days(soonest) <= moment <= days(latest)


def test_suggested_moments_of_several_certificates_part_within_the_window() -> None:
    bodies = [
        replace(body_of(CertificateBody, suggested(days(1), days(3)).resources[Kind.CERTIFICATE, HOST]), names=(name,))
        for name in (f"mail{number}.example.com" for number in range(20))
    ]
    assert len({renewal_at(body, LIFETIME) for body in bodies}) == 20


def test_what_somebody_asked_to_be_ordered_anew_is() -> None:
    wanted = look(held(renewal="asked")).wanted
    assert wanted is not None
    assert is_order(wanted)
    assert (wanted.reason, wanted.resource.fields["renewal"]) == ("ordered anew, as somebody asked", "")
    assert "key" not in wanted.made


def test_a_renewal_under_dane_keeps_a_key_of_any_age_until_its_roll_is_done() -> None:
    old_key = held(key_since="2020-01-01T00:00:00Z")
    due = days(LIFETIME_DAYS - 1)
    named = look(old_key, now=due, dns=Watched(seen=Seen(), ttl_s=600)).wanted
    unnamed = look(old_key, now=due).wanted
    assert named is not None
    assert unnamed is not None
    assert ("key" in named.made, "key" in unnamed.made) == (False, True)
