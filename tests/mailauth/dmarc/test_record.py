"""What a record in DNS says, and what is made of one that says nonsense. RFC 9989 §4.7, §4.8, §4.10."""

import pytest

from mailstack.mailauth.dmarc.record import MAX_TAGS, DmarcRecord, PublicSuffix, the_record
from mailstack.model.verdict import DmarcPolicy

NONE, QUARANTINE, REJECT = DmarcPolicy.NONE, DmarcPolicy.QUARANTINE, DmarcPolicy.REJECT


def record(text: str) -> DmarcRecord:
    found = the_record([text])
    assert found is not None, text
    return found


@pytest.mark.parametrize("text", ["v=DMARC1", "v=DMARC1;", "v=DMARC1; p=none", "v = DMARC1 ;p=none", "v=DMARC1;;x=y"])
def test_a_version_alone_asks_for_nothing(text: str) -> None:
    assert record(text) == DmarcRecord()


@pytest.mark.parametrize(
    "text",
    ["", "v=DMARC2; p=reject", "v=dmarc1; p=reject", "p=reject; v=DMARC1", " v=DMARC1", "v=DMARC11", "v=spf1 -all"],
)
def test_what_does_not_begin_with_the_version_is_no_record(text: str) -> None:
    assert the_record([text, "v=DMARC1; p=reject"]) == DmarcRecord(policy=REJECT, subdomains=REJECT, nonexistent=REJECT)
    assert the_record([text]) is None


def test_of_two_records_neither_counts() -> None:
    assert the_record(["v=DMARC1; p=reject", "v=DMARC1; p=none"]) is None


@pytest.mark.parametrize(
    ("tags", "policies"),
    [
        ("p=reject", (REJECT, REJECT, REJECT)),
        ("p=reject; sp=none", (REJECT, NONE, NONE)),
        ("p=none; sp=quarantine; np=reject", (NONE, QUARANTINE, REJECT)),
        ("p=none; np=reject", (NONE, NONE, REJECT)),
        ("sp=reject", (NONE, REJECT, REJECT)),  # RFC 9989 §4.7: without p, p=none
        ("P=Reject", (REJECT, REJECT, REJECT)),
        ("p=reject; p=none", (REJECT, REJECT, REJECT)),
        ("p = reject ; pct=0 ; ri=1 ; unknown=1 ; =x ; y", (REJECT, REJECT, REJECT)),
    ],
)
def test_policies(tags: str, policies: tuple[DmarcPolicy, ...]) -> None:
    found = record(f"v=DMARC1; {tags}")
    assert (found.policy, found.subdomains, found.nonexistent) == policies
    assert found.is_usable


@pytest.mark.parametrize("tags", ["p=block", "p=", "p=reject; sp=block", "p=reject; np=rejected", "p=re\udcffject"])
def test_a_policy_that_nobody_knows_is_none_where_reports_are_asked_for_and_else_no_dmarc(tags: str) -> None:
    with_reports = record(f"v=DMARC1; {tags}; rua=mailto:a@b.example")
    if "\udcff" in tags:  # no tag at all
        assert (with_reports.policy, with_reports.is_usable) == (NONE, True)
        return
    assert (with_reports.policy, with_reports.subdomains, with_reports.is_usable) == (NONE, NONE, True)
    assert not record(f"v=DMARC1; {tags}").is_usable
    assert not record(f"v=DMARC1; {tags}; rua=nobody").is_usable


def test_the_other_tags() -> None:
    found = record("v=DMARC1; adkim=s; aspf=s; t=y; psd=n")
    assert (found.has_strict_dkim, found.has_strict_spf, found.is_testing) == (True, True, True)
    assert found.public_suffix is PublicSuffix.NO
    assert record("v=DMARC1; psd=y").public_suffix is PublicSuffix.YES
    odd = record("v=DMARC1; adkim=x; aspf=rs; t=maybe; psd=maybe")
    assert odd == DmarcRecord()


def test_a_record_of_thirty_thousand_tags_is_read_to_a_point() -> None:
    assert record("v=DMARC1" + ";a=b" * 30_000 + ";p=reject").policy is NONE
    assert record("v=DMARC1" + ";a=b" * (MAX_TAGS - 2) + ";p=reject").policy is REJECT
