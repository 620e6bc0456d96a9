"""Numbers and names of what a message shows; the same however it is folded or encoded, and bounded."""

import base64
from zlib import crc32

import pytest

from mailstack.model.verdict import DkimResult, DmarcResult, IprevResult, SpfResult
from mailstack.spam.features import Features, features_of, names_of
from mailstack.spam.limits import LIMITS
from mailstack.spam.sender import Sender

HEADER = b"From: Alice <alice@example.org>\r\nTo: bob@example.com\r\nSubject: Cheap loans now\r\n"
TEXT = b"Get a cheap loan today, visit http://loans.example/now.html\r\n"
PLAIN = HEADER + b"\r\n" + TEXT
SENDER = Sender(
    network="192.0.2.0/24",
    host="mx.out.example.org",
    helo="out.example.org",
    mail_from_domain="example.org",
    verified_domain="example.org",
    is_tls=True,
    iprev=IprevResult.PASS,
    spf=SpfResult.PASS,
    dkim=DkimResult.NONE,
    dmarc=DmarcResult.FAIL,
)


def names(features: Features) -> set[str]:
    return set(names_of(features, {*features.text, *features.facts}).values())


def test_words_stand_alone_and_those_of_the_subject_in_pairs() -> None:
    assert {"cheap", "loan", "loans", "subject cheap", "subject loans now"} <= names(features_of(PLAIN))


def test_every_number_has_a_name() -> None:
    features = features_of(PLAIN, SENDER)
    wanted = {*features.text, *features.facts}
    assert names_of(features, wanted).keys() == wanted


def test_only_those_that_are_asked_for_are_named() -> None:
    assert names_of(features_of(PLAIN), set()) == {}
    assert names_of(features_of(PLAIN), {crc32(b"cheap")}) == {crc32(b"cheap"): "cheap"}


def test_a_feature_that_stands_twice_counts_once() -> None:
    twice = features_of(b"Subject: buy\r\n\r\nbuy buy buy buy\r\n")
    assert len(twice.text) == 1


def test_numbers_are_the_same_on_every_machine() -> None:
    features = features_of(b"\r\nbuy now\r\n")
    assert sorted(features.text) == [2433526991, 3481502327]


@pytest.mark.parametrize(
    "message",
    [
        PLAIN.replace(b"Cheap loans", b"Cheap\r\n loans").replace(b"Alice <", b"Alice\r\n\t<"),
        PLAIN.replace(b"Cheap loans now", b"=?utf-8?q?Cheap_loans?= now"),
        PLAIN.replace(b"\r\n", b"\n"),
    ],
)
def test_how_a_header_is_written_changes_nothing(message: bytes) -> None:
    expected, found = features_of(PLAIN), features_of(message)
    assert (set(found.text), set(found.facts)) == (set(expected.text), set(expected.facts))


def test_how_text_is_encoded_changes_no_word() -> None:
    encoded = HEADER + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(TEXT)
    assert set(features_of(encoded).text) == set(features_of(PLAIN).text)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"a\xe2\x80\x8bb", "an invisible character"),
        (b"a\xe2\x80\x8bb" * 9, "invisible characters in words"),
        (b"p\xd0\xb0ypal", "two scripts in a word"),
        (b"p\xd0\xb0 " * 9, "two scripts in words"),
    ],
)
def test_tricks_with_letters_are_facts(body: bytes, name: str) -> None:
    assert name in names(features_of(b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body))


@pytest.mark.parametrize(
    ("markup", "name"),
    [
        (b"<p>" + b"word " * 50 + b"<b hidden>x y</b>", "hidden text"),
        (b"<b hidden>x y z</b>w", "more hidden than shown"),
        (b"<img src=http://a.example/x.gif>", "more images than words"),
        (b"<img src=a><img src=b>", "images: 2"),
        (b"<form action=http://a.example>", "asks for input in a form"),
        (b"<i></i>" * 2_000, "very many tags"),
    ],
)
def test_what_markup_does_is_a_fact(markup: bytes, name: str) -> None:
    features = features_of(b"Content-Type: text/html\r\n\r\n" + markup)
    assert name in names(features)
    assert "is text/html" in names(features)


def test_attachments_are_facts() -> None:
    found = names(
        features_of(
            b"Content-Type: application/x-msdownload; name=Invoice.EXE\r\nContent-Transfer-Encoding: base64\r\n\r\nTVo="
        )
    )
    assert {"attached application/x-msdownload", "attached .exe", "attached with few words"} <= found


def test_what_the_server_knows_of_the_sender_is_a_fact() -> None:
    assert names(features_of(PLAIN, SENDER)) - names(features_of(PLAIN)) == {
        "network 192.0.2.0/24",
        "host example.org",
        "helo example.org",
        "verified example.org",
        "return path example.org",
        "address pass",
        "spf pass",
        "dkim none",
        "dmarc fail",
        "connection tls",
    }


def test_of_a_long_text_the_beginning_and_the_end_are_read() -> None:
    found = names(features_of(b"\r\nfirst " + b"filler " * 5_000 + b" last"))
    assert {"first", "last"} <= found


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\r\n" + b"w%d " * 100_000,
        b"\r\n" + b"".join(b"http://h%d.example/ " % number for number in range(100_000)),
        b"Content-Type: text/html\r\n\r\n"
        + b"".join(b"<a href=http://h%d.example>w%d</a>" % (n, n) for n in range(50_000)),
        b"Content-Type: text/html\r\n\r\n" + b"<b hidden>" + b"".join(b"w%d " % n for n in range(100_000)),
    ],
)
def test_a_message_has_only_so_many_features(message: bytes) -> None:
    features = features_of(message)
    assert len(features.text) <= LIMITS.words
    assert len(features.facts) <= 8 * LIMITS.links + 4 * LIMITS.subject_words + 200
