"""From the spec to record sets, by table."""

from collections.abc import Mapping

import dns.rdata
import pytest
from hypothesis import given

from mailstack.model.resource import AcmeAccountBody, DkimKeyBody
from mailstack.reconcile.dns.material import Material
from mailstack.reconcile.dns.record_set import Key, rdata_texts
from mailstack.reconcile.dns.records import wanted_records
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY
from tests.support.random_specs import spec_settings
from tests.support.specs import spec_value


def records(settings: Mapping[str, object], *keys: DkimKeyBody) -> dict[Key, tuple[str, ...]]:
    material = Material(dkim_keys=keys)
    return {record.key: record.values for record in wanted_records(spec_value(settings).spec, material)}


def of_domain(settings: Mapping[str, object]) -> dict[Key, tuple[str, ...]]:
    return records({"domains": {"example.com": settings}})


def services(listeners: Mapping[str, object]) -> dict[str, str]:
    found = records({"server": {"hostname": "mail.example.com", "listeners": listeners}})
    return {name.partition(".")[0]: values[0] for (name, record_type), values in found.items() if record_type == "SRV"}


def test_a_bare_domain_has_mx_spf_dmarc_and_services_and_the_host_its_spf() -> None:
    assert of_domain({}) == {
        ("example.com", "MX"): ("10 mail.example.com.",),
        ("example.com", "TXT"): ("v=spf1 a:mail.example.com -all",),
        ("_dmarc.example.com", "TXT"): ("v=DMARC1; p=none",),
        ("_submissions._tcp.example.com", "SRV"): ("0 1 465 mail.example.com.",),
        ("_submission._tcp.example.com", "SRV"): ("10 1 587 mail.example.com.",),
        ("_imaps._tcp.example.com", "SRV"): ("0 1 993 mail.example.com.",),
        ("_imap._tcp.example.com", "SRV"): ("10 1 143 mail.example.com.",),
        ("_pop3s._tcp.example.com", "SRV"): ("0 0 0 .",),
        ("_pop3._tcp.example.com", "SRV"): ("0 0 0 .",),
        ("_sieve._tcp.example.com", "SRV"): ("0 1 4190 mail.example.com.",),
        ("_jmap._tcp.example.com", "SRV"): ("0 1 443 mail.example.com.",),
        ("_autodiscover._tcp.example.com", "SRV"): ("0 1 443 mail.example.com.",),
        ("mail.example.com", "TXT"): ("v=spf1 a -all",),
    }


@pytest.mark.parametrize(
    ("imap", "value"),
    [
        ([":1143", ":143"], "10 1 1143 mail.example.com."),
        (["127.0.0.1:143", "[::1]:143"], "0 0 0 ."),
        (["127.0.0.1:1143", "192.0.2.1:143"], "10 1 143 mail.example.com."),
        ([], "0 0 0 ."),
    ],
)
def test_a_service_is_announced_where_others_can_reach_it(imap: list[str], value: str) -> None:
    assert services({"imap": imap})["_imap"] == value


def test_a_server_on_loopback_alone_announces_what_a_real_one_would() -> None:
    assert services({"smtp": ["127.0.0.1:25"], "imap": ["127.0.0.1:143"]})["_imap"] == "10 1 143 mail.example.com."


def test_services_are_not_announced_on_request() -> None:
    assert not [name for name, record_type in of_domain({"discovery": False}) if record_type == "SRV"]


def test_programs_that_ask_for_settings_find_their_hosts() -> None:
    found = of_domain({"autoconfig": True})
    for label in ("autoconfig", "autodiscover", "ua-auto-config"):
        assert found[f"{label}.example.com", "CNAME"] == ("mail.example.com.",)
    (digest,) = found["_ua-auto-config.example.com", "TXT"]
    assert digest.startswith("v=UAAC1; a=sha256; d=")
    assert not [name for name, _ in of_domain({}) if "auto-config" in name]


def test_a_host_that_is_asked_for_settings_itself_is_no_alias() -> None:
    host = {"server": {"hostname": "autoconfig.example.com"}, "domains": {"example.com": {"autoconfig": True}}}
    assert ("autoconfig.example.com", "CNAME") not in records(host)


def test_an_alias_domain_has_records_of_its_own() -> None:
    found = records({"domains": {"example.com": {}, "example.org": {"alias_of": "example.com"}}})
    assert found["example.org", "MX"] == ("10 mail.example.com.",)
    assert found["_dmarc.example.org", "TXT"] == ("v=DMARC1; p=none",)


def test_a_name_without_mail_refuses_it_and_is_believed_by_nobody() -> None:
    found = records({"dns": {"no_mail": ["www.example.com"]}})
    assert found["www.example.com", "MX"] == ("0 .",)  # RFC 7505 §3
    assert found["www.example.com", "TXT"] == ("v=spf1 -all",)
    assert found["_dmarc.www.example.com", "TXT"] == ("v=DMARC1; p=reject",)


def test_addresses_are_published_by_version() -> None:
    server = {"hostname": "mail.example.com", "addresses": ["203.0.113.10", "2001:DB8:0::1", "203.0.113.11"]}
    found = records({"server": server})
    assert found["mail.example.com", "A"] == ("203.0.113.10", "203.0.113.11")
    assert found["mail.example.com", "AAAA"] == ("2001:db8::1",)


def test_an_address_is_published_under_its_own_name_too_which_may_send_from_there_alone() -> None:
    named = [
        {"address": "203.0.113.11", "name": "out.example.com"},
        {"address": "2001:db8::1", "name": "out.example.com"},
        {"address": "203.0.113.12", "name": "mail.example.com"},
    ]
    found = records({"server": {"hostname": "mail.example.com", "addresses": ["203.0.113.10", *named]}})
    assert found["mail.example.com", "A"] == ("203.0.113.10", "203.0.113.11", "203.0.113.12")
    assert found["mail.example.com", "AAAA"] == ("2001:db8::1",)
    assert found["example.com", "TXT"] == ("v=spf1 a:mail.example.com -all",)
    assert found["out.example.com", "A"] == ("203.0.113.11",)
    assert found["out.example.com", "AAAA"] == ("2001:db8::1",)
    assert found["out.example.com", "TXT"] == ("v=spf1 a -all",)


def test_a_host_named_as_its_domain_has_one_spf_record() -> None:
    found = records({"server": {"hostname": "example.com"}})
    assert found["example.com", "TXT"] == ("v=spf1 a -all",)


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ({"spf": {"include": ["a.example", "b.example"], "all": "~all"}}, "example.com",
         "v=spf1 a:mail.example.com include:a.example include:b.example ~all"),
        ({"dmarc": {"policy": "reject", "reports_to": "d@example.com"}}, "_dmarc.example.com",
         "v=DMARC1; p=reject; rua=mailto:d@example.com"),
        ({"dmarc": {"reports_to": "a!b@example.com"}}, "_dmarc.example.com",
         "v=DMARC1; p=none; rua=mailto:a%21b@example.com"),  # RFC 9989 §4.6
        ({"dmarc": {"policy": "reject", "subdomains": "quarantine", "nonexistent": "reject"}}, "_dmarc.example.com",
         "v=DMARC1; p=reject; sp=quarantine; np=reject"),
        ({"dmarc": {"policy": "reject", "testing": True, "strict": ["spf", "dkim"]}}, "_dmarc.example.com",
         "v=DMARC1; p=reject; t=y; adkim=s; aspf=s"),
        ({"tls_rpt": {"reports_to": "t@example.com"}}, "_smtp._tls.example.com",
         "v=TLSRPTv1; rua=mailto:t@example.com"),
    ],
)  # fmt: skip
def test_policies_in_the_words_of_their_rfcs(settings: Mapping[str, object], name: str, value: str) -> None:
    assert of_domain(settings)[name, "TXT"] == (value,)


@pytest.mark.parametrize(
    ("receiver", "is_asked"), [("d@reports.example", True), ("d@example.com", False), ("d@sub.example.com", False)]
)
def test_another_domain_says_that_it_takes_the_reports(receiver: str, is_asked: bool) -> None:
    found = of_domain({"dmarc": {"reports_to": receiver}})
    asked = (f"example.com._report._dmarc.{receiver.partition('@')[2]}", "TXT")
    assert (asked in found) is is_asked


def test_the_mta_sts_id_changes_with_the_policy_and_only_then() -> None:
    def policy_id(mode: str) -> tuple[str, ...]:
        return of_domain({"mta_sts": {"mode": mode}})["_mta-sts.example.com", "TXT"]

    assert policy_id("enforce") == policy_id("enforce") != policy_id("testing")
    tag, _, value = policy_id("enforce")[0].partition("; id=")
    assert tag == "v=STSv1"
    assert value.isalnum()
    assert len(value) <= 32  # RFC 8461 §3.1


def test_the_policy_host_is_this_server() -> None:
    assert of_domain({"mta_sts": {}})["mta-sts.example.com", "CNAME"] == ("mail.example.com.",)
    assert not [key for key in of_domain({}) if key[1] == "CNAME"]


def test_a_host_that_is_the_policy_host_itself_is_no_alias() -> None:
    settings = {"server": {"hostname": "mta-sts.example.com"}, "domains": {"example.com": {"mta_sts": {}}}}
    assert not [key for key in records(settings) if key[1] == "CNAME"]


@pytest.mark.parametrize(
    ("algorithm", "public_key", "value"),
    [
        ("rsa2048", "MIIB", "v=DKIM1; k=rsa; p=MIIB"),
        ("ed25519", "11qY", "v=DKIM1; k=ed25519; p=11qY"),  # RFC 8463 §4
        ("ed25519", "", f"v=DKIM1; k=ed25519; p={KNOWN_AFTER_APPLY}"),
    ],
)
def test_signing_keys(algorithm: str, public_key: str, value: str) -> None:
    key = DkimKeyBody(domain="example.com", selector="s1", algorithm=algorithm, public_key=public_key)
    assert records({}, key)["s1._domainkey.example.com", "TXT"] == (value,)


@pytest.mark.parametrize(
    ("digests", "values"),
    [
        ((), None),
        (("ab" * 32,), (f"3 1 1 {'ab' * 32}",)),
        (("ab" * 32, "cd" * 32), (f"3 1 1 {'ab' * 32}", f"3 1 1 {'cd' * 32}")),
        (("ab" * 32, "ab" * 32), (f"3 1 1 {'ab' * 32}",)),
        (("",), (f"3 1 1 {KNOWN_AFTER_APPLY}",)),
    ],
)
def test_each_key_of_the_host_has_its_tlsa(digests: tuple[str, ...], values: tuple[str, ...] | None) -> None:
    found = wanted_records(spec_value({}).spec, Material(key_digests=digests))
    assert {record.key: record.values for record in found}.get(("_25._tcp.mail.example.com", "TLSA")) == values


ACME = {"issuer": "acme", "acme": {"email": "a@example.com"}}


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        ({}, None),
        ({"tls": ACME}, ('0 issue "letsencrypt.org"', '0 issuewild ";"')),
        ({"tls": {"issuer": "acme", "acme": {"directory": "https://ca.example/directory"}}}, None),
        ({"dns": {"caa": ["ca.example", "letsencrypt.org"]}},
         ('0 issue "ca.example"', '0 issue "letsencrypt.org"', '0 issuewild ";"')),
        ({"tls": ACME, "dns": {"caa": []}}, None),
        ({"tls": ACME, "domains": {"mail.example.com": {}}}, None),
        ({"tls": ACME, "dns": {"zones": {"mail.example.com": {"provider": "manual"}}}}, None),
    ],
)  # fmt: skip
def test_the_host_name_says_who_may_issue_its_certificates(
    settings: Mapping[str, object], values: tuple[str, ...] | None
) -> None:
    assert records(settings).get(("mail.example.com", "CAA")) == values


@given(spec_settings())
def test_of_any_spec_each_set_stands_once_and_none_beside_a_cname(settings: Mapping[str, object]) -> None:
    found = wanted_records(spec_value(settings).spec, Material())
    keys = [record.key for record in found]
    assert len(keys) == len(set(keys))
    aliases = {record.name for record in found if record.type == "CNAME"}
    assert not [record for record in found if record.name in aliases and record.type != "CNAME"]
    for record in found:
        for text in rdata_texts(record):
            assert dns.rdata.from_text("IN", record.type, text).rdtype.name == record.type


ACCOUNT = AcmeAccountBody(email="", uri="https://acme-v02.api.letsencrypt.org/acme/acct/7")
OTHER = AcmeAccountBody(email="", uri="https://ca.example/acct/7", caa_names=("ca.example",))
OWN_CA = "https://ca.example/dir"


@pytest.mark.parametrize(
    ("acme", "caa", "account", "issuers"),
    [
        ({}, None, None, ["letsencrypt.org"]),
        ({}, None, AcmeAccountBody(email=""), ["letsencrypt.org"]),
        ({}, None, ACCOUNT, [f"letsencrypt.org; accounturi={ACCOUNT.uri}"]),
        ({}, ["letsencrypt.org", "ca.example"], ACCOUNT, [f"letsencrypt.org; accounturi={ACCOUNT.uri}", "ca.example"]),
        ({"directory": OWN_CA}, ["ca.example"], OTHER, [f"ca.example; accounturi={OTHER.uri}"]),
        ({"directory": OWN_CA}, ["another.example"], OTHER, ["another.example"]),
        ({"directory": OWN_CA}, None, OTHER, []),
        ({}, [], ACCOUNT, []),
    ],
)
def test_an_authority_may_issue_to_the_servers_own_account_alone(
    acme: Mapping[str, object], caa: list[str] | None, account: AcmeAccountBody | None, issuers: list[str]
) -> None:
    spec = spec_value({"tls": {"issuer": "acme", "acme": acme}, "dns": {"caa": caa}}).spec
    found = {record.key: record.values for record in wanted_records(spec, Material(account=account))}
    expected = (*(f'0 issue "{name}"' for name in issuers), '0 issuewild ";"') if issuers else None
    assert found.get(("mail.example.com", "CAA")) == expected
