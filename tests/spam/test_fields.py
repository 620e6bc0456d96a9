"""What header fields give to learn from, and what they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.formats.headers import scan_fields
from mailstack.spam.fields import field_tokens
from mailstack.spam.limits import LIMITS

USUAL = (
    b"From: Alice Example <alice@example.org>\r\nTo: bob@example.com\r\nSubject: Lunch today\r\n"
    b"Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <1@mail.example.org>\r\n"
)


def tokens(header: bytes) -> set[str]:
    return {token.decode() for token in field_tokens(scan_fields(header, 0, len(header)), [], LIMITS)}


def test_a_usual_header() -> None:
    assert tokens(USUAL) == {
        "subject lunch",
        "subject today",
        "subject lunch today",
        "from example.org",
        "from .org",
        "from name alice",
        "from name example",
        "one in to",
        "none in cc",
        "message id of the from domain",
    }


@pytest.mark.parametrize(
    ("more", "token"),
    [
        (b"Subject: two\r\n", "two fields subject"),
        (b"From: c@d.example\r\n", "two fields from"),
        (b"In-Reply-To: <x@y>\r\n", "has field in-reply-to"),
        (b"Reply-To: x@elsewhere.example\r\n", "replies go elsewhere"),
        (b"Reply-To: x@EXAMPLE.org\r\n", "replies go to the same domain"),
        (b"Cc: a@b.example, c@d.example\r\n", "a few in cc"),
        (b"X-Mailer: Bulk 5.0\r\n", "program bulk"),
        (b"User-Agent: Mutt/1.5\r\n", "program mutt"),
    ],
)
def test_one_field_more(more: bytes, token: str) -> None:
    assert token in tokens(USUAL + more) - tokens(USUAL)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (b"Subject: GET RICH NOW\r\n", "subject all in capitals"),
        (b"Subject: get RICH now\r\n", "capitals in the subject"),
        (b"Subject: free!\r\n", "subject has !"),
        (b"Subject: buy         6826\r\n", "gap in the subject"),
        (b"Subject: Re: your order\r\n", "reply to nothing"),
        (b"References: <a@b>\r\nSubject: Re: your order\r\n", "subject of a reply"),
        (b"Subject: =?utf-8?b?ZnJlZQ==?=\r\n", "subject free"),
        (b"Subject: fr\xe2\x80\x8bee\r\n", "invisible characters in the subject"),
        (b"Subject: p\xd0\xb0ypal\r\n", "two scripts in a word of the subject"),
        (b"From: a12345@b.example\r\n", "many digits in the from address"),
        (b"From: a@b.example\r\n", "from without a name"),
        (b'From: "service@bank.example" <a@b.example>\r\n', "address as a name"),
        (b"From: a@b.example, c@d.example\r\n", "several from"),
        (b"From: a@b.example\r\nTo: a@b.example\r\n", "to the same as from"),
        (b"From: a@b.example\r\nMessage-ID: <1@notb.example>\r\n", "message id of another domain"),
        (b"To: friend\r\n", "to without a domain"),
        (b"To: " + b"a@b.example," * 50 + b"\r\n", "many in to"),
        (b"Date: yesterday\r\n", "a date that is none"),
        (b"", "no field message-id"),
        (b"From:\r\n", "no field from"),
    ],
)
def test_a_header_that_says_something(header: bytes, token: str) -> None:
    assert token in tokens(header)


@pytest.mark.parametrize(
    "field",
    [
        b"Received: from a by b; Fri, 21 Nov 1997 09:55:06 -0600",
        b"Return-Path: <a@b.example>",
        b"Delivered-To: bob@example.com",
        b"Authentication-Results: x; spf=pass",
        b"X-Spam-Score: 12",
        b"X-Spam-Status: Yes",
        b"List-Id: <x.example>",
        b"List-Unsubscribe: <mailto:a@b>",
        b"Precedence: bulk",
        b"Sender: a@b.example",
        b"X-Original-Date: x",
    ],
)
def test_what_servers_and_lists_add_says_nothing(field: bytes) -> None:
    assert tokens(USUAL + field + b"\r\n") == tokens(USUAL)


@given(st.lists(st.booleans(), min_size=20, max_size=20))
def test_folding_changes_nothing(folds: list[bool]) -> None:
    # RFC 5322 §2.2.3: a line may be folded wherever there is white space.
    pieces = USUAL.replace(b": ", b":\x00").split(b" ")
    folded = b"".join(
        piece + (b"\r\n " if fold else b" ") for piece, fold in zip(pieces, folds * 2, strict=False)
    ).replace(b":\x00", b": ")
    assert tokens(folded.rstrip(b" \r\n") + b"\r\n") == tokens(USUAL)


def test_a_header_without_end_is_read_in_bounds() -> None:
    header = b"Subject: " + b"word " * 100_000 + b"\r\n" + b"To: " + b"a@b.example, " * 100_000 + b"\r\n"
    assert len(tokens(header)) < 2 * LIMITS.subject_words + 50


def test_the_words_of_the_subject_are_given_too() -> None:
    header, words = b"Subject: Cheap =?utf-8?q?Loans?=\r\n", [b"before"]
    list(field_tokens(scan_fields(header, 0, len(header)), words, LIMITS))
    assert words == [b"before", b"cheap", b"loans"]
