"""From the spec to resources: defaults, secrets, certificates, keys."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mailstack.model.ids import Generation
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.resource import (
    BitBody,
    ClamavBody,
    CodeBody,
    Json,
    Kind,
    RspamdBody,
    SendingBody,
    Snapshot,
    SpamBody,
    body_of,
)
from mailstack.reconcile.actual import NOTHING
from mailstack.reconcile.apply import Workshop, writes_of
from mailstack.reconcile.desired import Desired, Given, desired_state
from mailstack.reconcile.diff import diff
from mailstack.reconcile.progress import unseen
from mailstack.reconcile.providers.acme import NO_ORDERING, Ordering
from mailstack.reconcile.providers.certs import self_signed
from mailstack.reconcile.wanted import Held, Secrets, Wanted, keyed_digest, nothing_held
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.secrets import resolve
from tests.support.specs import spec_value

NOW = Instant(1_790_000_000_000)
DIGEST = keyed_digest(b"k" * 32)
ALICE = "alice@example.com"


def desired(
    settings: Mapping[str, object],
    *,
    live: Snapshot = NOTHING,
    now: Instant = NOW,
    directory: Path = Path("/nowhere"),
    passwords: Mapping[str, str] | None = None,
    names: tuple[str, ...] = (),
    ordering: Ordering = NO_ORDERING,
    held: Held = nothing_held,
) -> Desired:
    spec = spec_value(settings)
    given = Given(
        live=live,
        secrets=Secrets(resolve, directory, DIGEST, spec.fault, held),
        now=now,
        passwords=passwords or {},
        certificate_names=names,
        ordering=ordering,
    )
    return desired_state(spec.spec, given)


def the(found: Desired, kind: Kind, name: str) -> Wanted:
    return next(item for item in found.wanted if (item.resource.kind, item.resource.name) == (kind, name))


def names(found: Desired, kind: Kind) -> list[str]:
    return [item.resource.name for item in found.wanted if item.resource.kind is kind]


async def applied(found: Desired) -> Snapshot:
    workshop = Workshop(digest=DIGEST, hash_password=str, clock=lambda: NOW, progress=unseen)
    changes = await writes_of(diff(found.wanted, NOTHING), workshop)
    resources = {(change.resource.kind, change.resource.name): change.resource for change in changes}
    return Snapshot(generation=Generation(1), spec_hash="", resources=resources)


def account(settings: Mapping[str, object], defaults: Mapping[str, object] | None = None) -> Mapping[str, Json]:
    whole = {"accounts": {ALICE: settings}, "defaults": {"account": defaults or {}}}
    return the(desired(whole), Kind.ACCOUNT, ALICE).resource.fields


def test_a_small_spec_has_every_default() -> None:
    found = desired({})
    assert the(found, Kind.SERVER, "server").resource.fields == {
        "hostname": "mail.example.com",
        "addresses": [],
        "workers": 0,
        "message_size_bytes": 50 << 20,
        "recipients": 100,
        "connections_per_ip": 20,
        "connections_per_account": 100,
        "proxy_from": [],
        "bans": {"after": 30, "first_s": 3_600, "longest_s": 604_800, "never": []},
        "resolvers": [],
        "resolvers_validate": False,
        "address_names": [],
        "push_to": [],
        "log": {"keep_s": 2_592_000, "max_bytes": 2 << 30},
    }
    assert names(found, Kind.LISTENER) == [
        "smtp",
        "submission",
        "submissions",
        "imap",
        "imaps",
        "managesieve",
        "http",
        "https",
    ]
    assert names(found, Kind.CERTIFICATE) == ["mail.example.com"]
    assert names(found, Kind.DKIM_KEY) == ["rsa2048-1._domainkey.example.com", "ed25519-1._domainkey.example.com"]
    assert names(found, Kind.ROUTES) == []
    assert names(found, Kind.RECEIVING) == []


def test_a_domain_has_the_policy_that_is_served() -> None:
    found = desired({"domains": {"example.com": {"mta_sts": {"mode": "enforce", "max_age": "1d"}}, "example.net": {}}})
    policy = {"mode": "enforce", "max_age_s": 86_400}
    assert the(found, Kind.DOMAIN, "example.com").resource.fields["mta_sts"] == policy
    assert the(found, Kind.DOMAIN, "example.net").resource.fields["mta_sts"] is None


def test_a_service_without_endpoints_is_off() -> None:
    listeners = {"imap": [], "smtp": ["127.0.0.1:2525"]}
    found = desired({"server": {"hostname": "mail.example.com", "listeners": listeners}})
    assert "imap" not in names(found, Kind.LISTENER)
    assert the(found, Kind.LISTENER, "smtp").resource.fields == {"endpoints": ["127.0.0.1:2525"]}


@pytest.mark.parametrize(
    ("settings", "defaults", "quota"),
    [({}, {}, None), ({}, {"quota": "1GiB"}, 1 << 30), ({"quota": "2GiB"}, {"quota": "1GiB"}, 2 << 30),
     ({"quota": None}, {"quota": "1GiB"}, None)],
)  # fmt: skip
def test_quota(settings: Mapping[str, object], defaults: Mapping[str, object], quota: int | None) -> None:
    assert account(settings, defaults)["quota_bytes"] == quota


def test_abilities_and_roles_have_one_order() -> None:
    assert account({"can": ["submit", "read"]})["abilities"] == ["read", "submit"]
    assert account({})["abilities"] == ["read", "receive", "submit"]
    assert account({}, {"can": ["submit"]})["abilities"] == ["submit"]


def test_a_password_by_reference_is_read_and_digested(tmp_path: Path) -> None:
    (tmp_path / "alice").write_text("open sesame\n")
    found = desired({"accounts": {ALICE: {"password": "file/alice"}}}, directory=tmp_path)
    wanted = the(found, Kind.ACCOUNT, ALICE)
    assert wanted.secrets == {"password": "open sesame"}
    assert wanted.resource.digests == {"password": DIGEST(Kind.ACCOUNT, ALICE, "password", "open sesame")}
    assert "open sesame" not in repr(wanted)


def test_digests_of_one_secret_differ_by_account_and_key() -> None:
    first = DIGEST(Kind.ACCOUNT, "a@example.com", "password", "x")
    assert first != DIGEST(Kind.ACCOUNT, "b@example.com", "password", "x")
    assert first != keyed_digest(b"o" * 32)(Kind.ACCOUNT, "a@example.com", "password", "x")


def test_a_given_password_stands_in_for_the_specs() -> None:
    found = desired({"accounts": {ALICE: {"password": "env/NOT_SET_ANYWHERE"}}}, passwords={ALICE: "given"})
    assert the(found, Kind.ACCOUNT, ALICE).secrets == {"password": "given"}


def test_every_missing_secret_is_named_at_once(tmp_path: Path) -> None:
    settings = {
        "accounts": {ALICE: {"password": "env/NOT_SET_ANYWHERE"}, "bob@example.com": {"password": "file/gone"}},
        "relays": {"r": {"host": "relay.example", "username": "me", "password": "env/NOT_SET_EITHER"}},
        "tls": {"issuer": "files", "files": [{"certificate": "gone.pem", "key": "file/gone.key"}]},
    }
    with pytest.raises(SpecInvalid) as raised:
        desired(settings, directory=tmp_path)
    told = str(raised.value)
    assert "accounts[alice@example.com].password: the environment variable NOT_SET_ANYWHERE is not set" in told
    assert "accounts[bob@example.com].password: the secret file" in told
    assert "relays.r.password" in told
    assert "tls.files[0].key" in told
    assert f"tls.files[0].certificate: {tmp_path}/gone.pem: cannot be read: No such file or directory" in told


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7", "logins cannot be checked"),
        ("{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQAAAAA", "logins cannot be checked"),
        ("$6$rounds=1000$salt$" + "a" * 86, "is weak"),
        ("$2b$31$" + "a" * 53, "takes too long to check"),
    ],
)
def test_a_hash_behind_a_reference_is_no_password(tmp_path: Path, held: str, told: str) -> None:
    (tmp_path / "secret").write_text(f"{held}\n")
    with pytest.raises(SpecInvalid) as raised:
        desired({"accounts": {ALICE: {"password": "file/secret"}}}, directory=tmp_path)
    assert told in str(raised.value)
    assert held not in str(raised.value)


def test_what_is_asked_of_strangers_mail_is_one_resource_once_it_is_more_than_the_defaults() -> None:
    assert names(desired({"receiving": {"dmarc": "enforce", "dns_deadline": "10s"}}), Kind.RECEIVING) == []
    settings = {"spf_fail": "reject", "dns_deadline": "1m", "trusted_peers": ["192.0.2.1"]}
    assert the(desired({"receiving": settings}), Kind.RECEIVING, "receiving").resource.fields == {
        "dmarc": "enforce",
        "spf_fail": "reject",
        "on_dns_failure": "accept",
        "dns_deadline_s": 60,
        "trusted_sealers": [],
        "trusted_peers": ["192.0.2.1/32"],
        "is_backup": False,
        "backups": [],
        "greylist": "off",
        "blocklists": [],
    }


def test_how_often_mail_is_tried_is_one_resource_once_it_is_other_than_the_defaults() -> None:
    assert (
        names(desired({"sending": {"lifetime": "5d", "schedule": ["30m", "1h", "2h", "4h", "8h"]}}), Kind.SENDING) == []
    )
    settings = {"schedule": ["5m", "1h"], "warn_after": None, "concurrency": 9, "suppress": {"after": 2}}
    assert the(desired({"sending": settings}), Kind.SENDING, "sending").resource.fields == {
        "schedule_s": [300, 3_600],
        "lifetime_s": 432_000,
        "warn_after_s": None,
        "concurrency": 9,
        "tls": None,
        "suppress": {"after": 2, "for_s": 2_592_000},
        "rate": None,
        "destinations": None,
    }
    assert names(desired({"sending": {"tls": "opportunistic"}}), Kind.SENDING) == []
    least = the(desired({"sending": {"tls": "required"}}), Kind.SENDING, "sending")
    assert least.resource.fields["tls"] == "required"
    off = the(desired({"sending": {"suppress": None}}), Kind.SENDING, "sending").resource
    assert body_of(SendingBody, off) == SendingBody(suppress=None)


def test_each_destination_has_all_that_it_leaves_to_the_rest() -> None:
    named = {"*.google.com": {"rate": "20/m"}, "example.net": {"concurrency": 1}, "example.org": {"rate": None}}
    settings = {"rate": "600/m", "concurrency": 3, "destinations": named}
    fields = the(desired({"sending": settings}), Kind.SENDING, "sending").resource.fields
    assert fields["rate"] == "600/m"
    assert fields["destinations"] == [
        {"name": "*.google.com", "concurrency": 3, "rate": "20/m"},
        {"name": "example.net", "concurrency": 1, "rate": "600/m"},
        {"name": "example.org", "concurrency": 3},
    ]


def test_relays_and_routes() -> None:
    settings = {
        "relays": {"r": {"host": "relay.example", "tls": "implicit"}},
        "routes": [{"to": "*.example", "via": "r"}, {"via": "direct", "tls": "verified"}],
    }
    found = desired(settings)
    fields = {"host": "relay.example", "port": 465, "tls": "implicit", "protocol": None, "socket": None}
    assert the(found, Kind.RELAY, "r").resource.fields == fields
    assert the(found, Kind.ROUTES, "routes").resource.fields == {
        "routes": [{"to": "*.example", "via": "r"}, {"to": "*", "via": "direct", "tls": "verified"}]
    }


ASKED = {
    "lists": [
        {"zone": "DBL.example", "of": ["domains", "links"], "points": 4, "codes": {"127.0.1.4": 6, "127.0.*.9": 0}},
        {"zone": "white.example", "of": ["peers"], "codes": {"127.0.*.3": -3}, "bits": {"8": -2}},
    ],
    "engines": {
        "rspamd": {"url": "http://127.0.0.1:11333/", "password": "file/rspamd"},
        "clamav": {"host": "clamav", "deadline": "5s", "on_virus": "junk"},
    },
}


def test_whom_the_server_asks_about_spam_is_of_one_resource(tmp_path: Path) -> None:
    assert names(desired({"spam": {"lists": [], "engines": {}}}), Kind.SPAM) == []
    (tmp_path / "rspamd").write_text("open sesame\n")
    wanted = the(desired({"spam": ASKED}, directory=tmp_path), Kind.SPAM, "spam")
    body = body_of(SpamBody, wanted.resource)
    assert [(each.zone, each.of, each.points) for each in body.lists] == [
        ("dbl.example", ("domains", "links"), 4.0),
        ("white.example", ("peers",), None),
    ]
    assert body.lists[0].codes == (CodeBody(code="127.0.1.4", points=6.0), CodeBody(code="127.0.*.9", points=0.0))
    assert body.lists[1].bits == (BitBody(bit=8, points=-2.0),)
    assert body.rspamd == RspamdBody(url="http://127.0.0.1:11333", deadline_s=10, max_points=15.0)
    assert body.clamav == ClamavBody(deadline_s=5, max_size_bytes=25 << 20, on_virus="junk", host="clamav", port=3310)
    assert wanted.secrets == {"rspamd_password": "open sesame"}
    assert "open sesame" not in repr(wanted)


async def test_the_password_of_rspamd_stays_where_it_cannot_be_read_but_goes_to_no_other(tmp_path: Path) -> None:
    (tmp_path / "rspamd").write_text("open sesame\n")
    live = await applied(desired({"spam": ASKED}, directory=tmp_path))
    (tmp_path / "rspamd").unlink()
    held = lambda *_which: live.resources[Kind.SPAM, "spam"].digests["rspamd_password"]  # noqa: E731
    again = desired({"spam": ASKED}, live=live, directory=tmp_path, held=held)
    assert diff(again.wanted, live) == ()
    other = {**ASKED, "engines": {"rspamd": {"url": "http://127.0.0.1:4", "password": "file/rspamd"}}}
    with pytest.raises(SpecInvalid, match=r"spam\.engines\.rspamd\.password"):
        desired({"spam": other}, live=live, directory=tmp_path, held=held)


async def test_keys_and_certificates_are_made_once_and_kept() -> None:
    live = await applied(desired({}))
    assert diff(desired({}, live=live).wanted, live) == ()


async def test_a_certificate_is_renewed_when_less_than_thirty_days_remain() -> None:
    live = await applied(desired({}))
    at_31, at_29 = (Instant(NOW + (825 - days) * DAY_MS) for days in (31, 29))
    assert the(desired({}, live=live, now=at_31), Kind.CERTIFICATE, "mail.example.com").made == ()
    renewed = the(desired({}, live=live, now=at_29), Kind.CERTIFICATE, "mail.example.com")
    assert renewed.made
    assert renewed.reason == "renewed: 28 days remain"


async def test_a_certificate_for_other_names_is_made_anew() -> None:
    live = await applied(desired({}))
    found = desired({}, live=live, names=("localhost",))
    assert the(found, Kind.CERTIFICATE, "mail.example.com").reason == "other names"


async def test_another_algorithm_gets_its_key_beside_the_kept_one() -> None:
    live = await applied(desired({"domains": {"example.com": {"dkim": {"algorithms": ["rsa2048"]}}}}))
    (step,) = [step for step in diff(desired({}, live=live).wanted, live) if step.change.kind == "dkim_key"]
    assert step.change.name == "ed25519-2._domainkey.example.com"


def test_an_external_account_whose_key_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    acme = {"eab": {"key_id": "kid-1", "key": "file/missing"}}
    with pytest.raises(SpecInvalid, match=r"tls\.acme\.eab\.key: the secret file .*missing cannot be read"):
        desired({"tls": {"issuer": "acme", "acme": acme}}, directory=tmp_path)


def write_pair(folder: Path, host: str, now: Instant = NOW) -> dict[str, object]:
    chain, key = self_signed((host,), now)
    (folder / "mail.pem").write_text(chain)
    (folder / "mail.key").write_text(key)
    return {"tls": {"issuer": "files", "files": [{"certificate": "mail.pem", "key": "file/mail.key"}]}}


def test_certificate_files_are_read(tmp_path: Path) -> None:
    found = desired(write_pair(tmp_path, "mail.example.com"), directory=tmp_path)
    wanted = the(found, Kind.CERTIFICATE, "mail.example.com")
    assert (wanted.made, wanted.resource.fields["issuer"]) == ((), "files")
    assert wanted.secrets["key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert found.warnings == ()


def test_two_certificates_that_begin_with_one_name_are_a_fault_and_none_is_dropped(tmp_path: Path) -> None:
    for name, names in {"one": ("mail.example.com", "a.example.com"), "two": ("mail.example.com",)}.items():
        chain, key = self_signed(names, NOW)
        (tmp_path / f"{name}.pem").write_text(chain)
        (tmp_path / f"{name}.key").write_text(key)
    files = [{"certificate": f"{name}.pem", "key": f"file/{name}.key"} for name in ("one", "two")]
    with pytest.raises(SpecInvalid, match=r"tls\.files\[1\]\.certificate: two\.pem begins with the name mail"):
        desired({"tls": {"issuer": "files", "files": files}}, directory=tmp_path)


def test_a_certificate_for_another_host_is_a_warning(tmp_path: Path) -> None:
    found = desired(write_pair(tmp_path, "other.example.com"), directory=tmp_path)
    assert "no file in tls.files is good for server.hostname" in found.warnings[0].text


def test_a_certificate_that_ends_soon_is_a_warning(tmp_path: Path) -> None:
    settings = write_pair(tmp_path, "mail.example.com", Instant(NOW - 815 * DAY_MS))
    assert desired(settings, directory=tmp_path).warnings[0].text == "9 days remain"


def test_a_new_certificate_that_has_expired_is_refused(tmp_path: Path) -> None:
    settings = write_pair(tmp_path, "mail.example.com", Instant(NOW - 900 * DAY_MS))
    with pytest.raises(SpecInvalid, match="expired on"):
        desired(settings, directory=tmp_path)


async def test_a_certificate_that_expired_while_it_served_is_a_warning_and_holds_up_nothing_else(
    tmp_path: Path,
) -> None:
    settings = write_pair(tmp_path, "mail.example.com", Instant(NOW - 900 * DAY_MS))
    then = desired(settings, directory=tmp_path, now=Instant(NOW - 100 * DAY_MS))
    now = desired(
        {**settings, "aliases": {"a@example.com": "b@example.net"}}, live=await applied(then), directory=tmp_path
    )
    assert names(now, Kind.ALIAS) == ["a@example.com"]
    assert now.warnings[0].text.startswith("expired on 2026-07-")
    assert "put another one in place of the files" in now.warnings[0].text


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    settings = write_pair(tmp_path, "mail.example.com")
    (tmp_path / "mail.key").write_text(self_signed(("mail.example.com",), NOW)[1])
    with pytest.raises(SpecInvalid, match="the key does not belong to the certificate"):
        desired(settings, directory=tmp_path)
