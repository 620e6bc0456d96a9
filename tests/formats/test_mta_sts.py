"""MTA-STS records and policies in the words of RFC 8461 §3.1, §3.2."""

import time
from dataclasses import replace

import pytest

from mailstack.formats.mta_sts import (
    MOST_MAX_AGE_S,
    MOST_MX,
    MOST_POLICY_OCTETS,
    parse_policy,
    parse_records,
    policy_id,
    write_policy,
    write_record,
)
from mailstack.model.errors import Invalid
from mailstack.model.tls_policy import StsMode, StsPolicy

POLICY = StsPolicy(mode=StsMode.ENFORCE, max_age_s=604_800, mx=("mail.example.com",))
TEXT = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 604800\r\n"
OTHERS = [
    replace(POLICY, mode=StsMode.TESTING),
    replace(POLICY, max_age_s=1),
    replace(POLICY, mx=("a.example.com", "*.example.net")),
    StsPolicy(mode=StsMode.NONE, max_age_s=0, mx=()),
]


def test_a_policy_is_written_field_by_field_with_crlf() -> None:
    assert write_policy(POLICY) == TEXT


def test_every_host_has_its_line() -> None:
    text = write_policy(replace(POLICY, mx=("a.example.com", "*.example.net")))
    assert b"mx: a.example.com\r\nmx: *.example.net\r\n" in text


@pytest.mark.parametrize("other", OTHERS)
def test_another_policy_has_another_id(other: StsPolicy) -> None:
    assert policy_id(POLICY) == policy_id(replace(POLICY))
    assert policy_id(POLICY) != policy_id(other)
    assert policy_id(other).isalnum()
    assert len(policy_id(other)) <= 32


@pytest.mark.parametrize("policy", [POLICY, *OTHERS])
def test_what_is_written_is_read_again(policy: StsPolicy) -> None:
    assert parse_policy(write_policy(policy)) == policy
    assert parse_records([write_record(policy)]) == policy_id(policy)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(b"\r\n", b"\n"),
        TEXT.removesuffix(b"\r\n"),
        TEXT + b"\r\n\n",
        TEXT.replace(b": ", b":"),
        TEXT.replace(b": ", b":\t ").replace(b"\r", b" \t\r"),
        TEXT.replace(b"mail.", b"MAIL."),
        TEXT + b"mode: none\r\nmax_age: 1\r\nversion: 2\r\n",  # all but the first are ignored
        TEXT + b"x-new_field.1: caf\xc3\xa9 : 1\r\n",
        b"max_age: 604800\nmx: mail.example.com\nmode: enforce\nversion: STSv1",
    ],
)
def test_a_policy_may_be_written_in_many_ways(text: bytes) -> None:
    assert parse_policy(text) == POLICY


def test_a_policy_counts_for_a_year_at_most() -> None:
    assert parse_policy(TEXT.replace(b"604800", b"9999999999")).max_age_s == MOST_MAX_AGE_S == 31_557_600


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "another version"),
        (TEXT.replace(b"STSv1", b"STSv2"), "another version"),
        (TEXT.replace(b"STSv1", b"stsv1"), "another version"),
        (TEXT.replace(b"enforce", b"Enforce"), "no mode"),
        (TEXT.replace(b"mode", b"mood"), "no mode"),
        (TEXT.replace(b"max_age: 604800", b""), "how long"),
        (TEXT.replace(b"604800", b"7d"), "how long"),
        (TEXT.replace(b"604800", b"-1"), "how long"),
        (TEXT.replace(b"604800", b"10000000000"), "how long"),
        (TEXT.replace(b"604800", "\u0661".encode()), "how long"),
        (TEXT.replace(b"mx: mail.example.com\r\n", b""), "no host"),
        (TEXT.replace(b"mx: mail", b"mx: m*"), "host that is none"),
        (TEXT.replace(b"mx: mail", b"mx: *.*"), "host that is none"),
        (TEXT.replace(b"mail.example.com", b"*."), "host that is none"),
        (TEXT.replace(b"mail.example.com", b"[192.0.2.1]"), "host that is none"),
        (TEXT.replace(b"mail.example.com", b"a b"), "host that is none"),
        (TEXT + b"nonsense\r\n", "no field"),
        (TEXT + b"a\rb: c\r\n", "no field"),
        (TEXT + b"x: a\rb\r\n", "no field"),
        (b"<html>: no\r\n" + TEXT, "no field"),
        (TEXT + b"x: \xff\r\n", "UTF-8"),
        (TEXT + b"mx: a.example\n" * MOST_MX, "more than"),
        (TEXT + b"x:" + b"y" * MOST_POLICY_OCTETS, "more than"),
    ],
)
def test_what_is_no_policy(text: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_policy(text)


@pytest.mark.parametrize(
    "texts",
    [
        ["v=STSv1; id=20160831085700Z;"],
        ["v=STSv1;id=20160831085700Z"],
        ["v=STSv1 ;\tid=20160831085700Z ; "],
        ["v=STSv1; x-1=a:b; id=20160831085700Z; y=1"],
        ["v=STSv1; id=20160831085700Z; id=2"],  # the first counts
        ["v=spf1 -all", "v=STSv1; id=20160831085700Z", "v=STSv2; id=3", ""],
    ],
)
def test_a_record_says_that_there_is_a_policy(texts: list[str]) -> None:
    assert parse_records(texts) == "20160831085700Z"


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        [";"],
        ["v=STSv1"],
        ["v=STSv1;"],
        ["v=STSv1; id="],
        ["v=STSv1; id=a-b"],
        ["v=STSv1; id=" + "1" * 33],
        ["v=STSv1; ID=1"],
        ["v=STSv1; id=1; nonsense"],
        ["v=STSv1; id=1; ; x=y"],
        ["v=STSv1; id=1; x=a b"],
        ["v=STSv1; x=1"],
        ["V=STSv1; id=1"],
        [" v=STSv1; id=1"],
        ["v=STSv1x; id=1"],
        ["id=1; v=STSv1"],
        ["v=STSv1; id=1", "v=STSv1; id=1"],  # RFC 8461 §3.1: more than one is none
        ["v=STSv1; id=\udcff"],
    ],
)
def test_what_says_nothing_of_a_policy(texts: list[str]) -> None:
    assert parse_records(texts) is None


@pytest.mark.parametrize("filler", [b" ", b"\t;", b" \r", b"x:", b"x:\n", b";=", b"\xc3\xa9.\n"])
def test_time_is_linear_in_the_length(filler: bytes) -> None:
    octets = (b"x:" + filler * MOST_POLICY_OCTETS)[: MOST_POLICY_OCTETS - 1]
    started = time.process_time()
    for text in (octets, octets + b"a"):
        try:
            parse_policy(text)
        except Invalid:
            parse_records(["v=STSv1;" + text.decode("utf-8", "surrogateescape")])
    assert time.process_time() - started < 1
