"""Authentication-Results written, read and found. RFC 8601."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailstack.formats.authres import claimed_fields, read_results, write_results
from mailstack.formats.headers import scan_fields, unfold
from mailstack.formats.limits import LIMITS
from mailstack.model.verdict import (
    ArcResult,
    ArcVerdict,
    Authentication,
    DkimResult,
    DkimVerdict,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
    IprevResult,
    IprevVerdict,
    SpfIdentity,
    SpfResult,
    SpfVerdict,
)

HOST = "mail.example.com"


def found(*, reason: str = "", selector: str = "s1", arc: ArcResult = ArcResult.NONE) -> Authentication:
    return Authentication(
        iprev=IprevVerdict(result=IprevResult.PASS, name="mx.y.example"),
        helo=SpfVerdict(result=SpfResult.NONE, identity=SpfIdentity.HELO, domain="mx.y.example"),
        mail_from=SpfVerdict(
            result=SpfResult.SOFTFAIL, identity=SpfIdentity.MAILFROM, domain="y.example", reason=reason
        ),
        dkim=(
            DkimVerdict(
                result=DkimResult.PASS,
                domain="y.example",
                selector=selector,
                algorithm="rsa-sha256",
                signature_start="ab/+cdef",
            ),
        ),
        arc=ArcVerdict(result=arc),
        dmarc=DmarcVerdict(
            result=DmarcResult.FAIL, from_domain="y.example", policy_domain="y.example", policy=DmarcPolicy.REJECT
        ),
    )


def test_a_field_has_a_line_for_each_method() -> None:
    assert write_results(HOST, found(arc=ArcResult.PASS), peer_host="2001:db8::1", mail_from="x@y.example") == (
        b"Authentication-Results: mail.example.com;\r\n"
        b'\tiprev=pass policy.iprev="2001:db8::1";\r\n'
        b"\tspf=softfail smtp.mailfrom=x@y.example;\r\n"
        b"\tspf=none smtp.helo=mx.y.example;\r\n"
        b'\tdkim=pass header.d=y.example header.s=s1 header.a=rsa-sha256 header.b="ab/+cdef";\r\n'
        b"\tdmarc=fail header.from=y.example policy.dmarc=reject;\r\n"
        b"\tarc=pass\r\n"
    )


def test_of_a_null_path_the_domain_that_was_checked_is_told() -> None:
    assert b"smtp.mailfrom=y.example;" in write_results(HOST, found(), peer_host="192.0.2.1", mail_from="")


@example("@", "@", "x@")
@example("a@b", "@b..c", "a@b@c")
@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=400))
def test_no_value_ends_the_field_or_another_value(reason: str, selector: str, mail_from: str) -> None:
    field = write_results(HOST, found(reason=reason, selector=selector), peer_host="192.0.2.1", mail_from=mail_from)
    (only,) = scan_fields(field + b"\r\n")
    assert (only.start, only.end, only.name) == (0, len(field), b"authentication-results")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|[^\r\n\t -~]", field)
    assert max(map(len, field.split(b"\r\n"))) <= 998
    results = read_results(unfold(only.value).decode("ascii"))
    assert [(item.method, item.result) for item in results] == [
        ("iprev", "pass"), ("spf", "softfail"), ("spf", "none"), ("dkim", "pass"), ("dmarc", "fail"),
    ]  # fmt: skip


def test_what_others_found_is_read() -> None:
    text = (
        "mx.google.com;       dkim=pass header.i=@example.com header.s=s header.b=abc;       spf=pass (google.com:"
        " domain of a@b.example designates 1.2.3.4 as permitted sender) smtp.mailfrom=a@b.example;      "
        " dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.com"
    )
    assert [(item.method, item.result) for item in read_results(text)] == [
        ("dkim", "pass"), ("spf", "pass"), ("dmarc", "pass"),
    ]  # fmt: skip
    assert read_results(text)[-1].properties == {"header.from": "example.com"}


@pytest.mark.parametrize(
    "text",
    ["", "none", HOST, f"{HOST}; none", f"{HOST} 2; spf=pass", "x; dmarc", "x; dmarc=pass ((((", "x; é=pass", ";",
     "x;;", "x; dmarc=", "x; =pass", "x; dmarc=pass header=x", 'x; dmarc=pass reason="', "x; " + "(" * 10_000,
     "x" * 20_000],
)  # fmt: skip
def test_what_cannot_be_read_says_nothing(text: str) -> None:
    assert read_results(text) == ()


@pytest.mark.parametrize(
    "value",
    [
        "mail.example.com; dmarc=pass",
        "MAIL.Example.COM 1; dmarc=pass",
        " (who) mail.example.com (what) 99; spf=pass",
        '"mail.example.com"; none',
        '"ma\\il.example.com"; none',
        "\r\n\tmail.example.com;\r\n\tdmarc=pass",
        "mail.example.com",
        "mail.example.com.; none",
        # Nobody can tell whose: some readers may take it for ours.
        "",
        '"mail.example.com',
        "=; none",
        "mail.example.com=1",
    ],
)
@pytest.mark.parametrize("name", ["Authentication-Results", "AUTHENTICATION-results", "Authentication-Results "])
def test_a_field_that_claims_to_be_ours_is_found(name: str, value: str) -> None:
    field = f"{name}:{value}\r\n".encode()
    raw = b"A: b\r\n" + field + b"Subject: x\r\n\r\nAuthentication-Results: mail.example.com; none\r\n"
    assert claimed_fields(raw, HOST) == ((6, 6 + len(field)),)


@pytest.mark.parametrize(
    "value", ["other.example; dmarc=pass", "xmail.example.com; none", "(mail.example.com) other.example; none"]
)
def test_fields_of_others_stay(value: str) -> None:
    assert claimed_fields(f"Authentication-Results: {value}\r\n\r\n".encode(), HOST) == ()


def test_a_claim_behind_more_fields_than_anybody_scans_is_found_and_all_of_them_are() -> None:
    padding = b"X: y\r\n" * (LIMITS.header_fields + 1)
    claim = b"Authentication-Results: mail.example.com; none\r\n"
    assert len(claimed_fields(padding + claim + b"A: b\r\n" + claim + b"\r\n", HOST)) == 2


@pytest.mark.parametrize("value", ["(" * 200_000, '"' * 200_001, "\r\n x" * 100_000, "\\" * 200_000])
def test_hostile_fields_take_a_moment_only(value: str) -> None:
    raw = f"Authentication-Results: {value}\r\n\r\n".encode()
    began = time.process_time()
    claimed_fields(raw, HOST)
    assert time.process_time() - began < 2
