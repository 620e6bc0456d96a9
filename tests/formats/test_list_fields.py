"""What a list changes in a message, field by field. RFC 2369, RFC 2919, RFC 9057."""

import pytest

from mailstack.formats.headers import scan_fields
from mailstack.formats.list_fields import changes, has_list_id, is_automatic, mailto_address, unsubscribe_fields
from mailstack.model.principal import MailingList, Posters
from tests.support.mailing_lists import make_list

TEAM = make_list("team@example.com")
PREFIXED = make_list("team@example.com", subject_prefix="[team]")


def changed(raw: bytes, mailing_list: MailingList, *, rewrites_from: bool = False) -> bytes:
    """The header as members see it, without the fields that every list adds."""
    found = changes(scan_fields(raw), mailing_list, rewrites_from=rewrites_from)
    own = changes((), make_list(mailing_list.address, name=mailing_list.name), rewrites_from=False).top
    assert found.top.endswith(own)
    kept, at = b"", 0
    for start, end in found.left_out:
        kept, at = kept + raw[at:start], end
    return found.top.removesuffix(own) + kept + raw[at:]


def test_the_fields_of_a_list() -> None:
    assert changes((), TEAM, rewrites_from=False).top == (
        b'List-Id: "Team" <team.example.com>\r\n'
        b"List-Help: <mailto:team-owner@example.com?subject=help>\r\n"
        b"List-Post: <mailto:team@example.com>\r\n"
        b"List-Owner: <mailto:team-owner@example.com>\r\n"
        b"Precedence: list\r\n"
    )
    owners = make_list("a&b@example.com", name="", post=Posters.OWNERS)
    assert changes((), owners, rewrites_from=False).top.startswith(
        b"List-Id: <a&b.example.com>\r\nList-Help: <mailto:a%26b-owner@example.com?subject=help>\r\nList-Post: NO\r\n"
    )


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ('The "A" team\\', b'"The \\"A\\" team\\\\"'),
        ("J\u00fcrgens", b"=?utf-8?b?SsO8cmdlbnM=?="),
        ("a\r\nBcc: x", b'"a Bcc: x"'),
        ("=?utf-8?q?x?=", b"=?utf-8?b?PT91dGYtOD9xP3g/PQ==?="),
    ],
)
def test_a_name_is_a_phrase(name: str, phrase: bytes) -> None:
    top = changes((), make_list("t@example.com", name=name), rewrites_from=False).top
    assert top.startswith(b"List-Id: " + phrase + b" <t.example.com>\r\n")


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (b"Subject: hello\r\n", b"Subject: [team] hello\r\n"),
        (b"Subject: Re: [Team] hello\r\n", b"Subject: Re: [Team] hello\r\n"),
        (b"A: b\r\nSubject: x\r\n y\r\nC: d\r\n", b"Subject: [team] x y\r\nA: b\r\nC: d\r\n"),
        (b"Subject: =?utf-8?q?=C3=A4?=\r\n", b"Subject: [team] =?utf-8?q?=C3=A4?=\r\n"),
        (b"Subject: =?utf-8?q?=5Bteam=5D_=C3=A4?=\r\n", b"Subject: =?utf-8?q?=5Bteam=5D_=C3=A4?=\r\n"),
        (b"Subject: \xc3\xa4\r\n", b"Subject: [team] \xc3\xa4\r\n"),
        (b"Subject:\r\n", b"Subject: [team]\r\n"),
        (b"", b"Subject: [team]\r\n"),
        (b"Subject: one\r\nSubject: two\r\n", b"Subject: [team] one\r\n"),
    ],
)
def test_a_prefix_is_put_before_the_subject_once(raw: bytes, seen: bytes) -> None:
    assert changed(raw, PREFIXED) == seen


def test_a_prefix_that_is_encoded_keeps_its_space() -> None:
    seen = changed(b"Subject: =?utf-8?q?=C3=A4?=\r\n", make_list("t@example.com", subject_prefix="[\u00e4]"))
    assert seen == b"Subject: =?utf-8?b?W8OkXSA=?= =?utf-8?q?=C3=A4?=\r\n"


def test_no_line_grows_too_long() -> None:
    seen = changed(b"Subject: " + b"word " * 250 + b"\r\n", PREFIXED)
    assert max(map(len, seen.split(b"\r\n"))) < 998
    assert seen.replace(b"\r\n ", b" ") == b"Subject: [team] " + b"word " * 249 + b"word\r\n"


def test_what_other_lists_have_added_goes() -> None:
    raw = b"List-Id: <x.other.example>\r\nA: b\r\nList-Unsubscribe: <mailto:x@y>\r\n f\r\nPrecedence: bulk\r\n"
    assert changed(raw, TEAM) == b"A: b\r\n"
    assert changed(b"List-Archive: <https://x>\r\n", TEAM) == b"List-Archive: <https://x>\r\n"


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (
            b"From: Ann <a@x.example>\r\n",
            b'From: "Ann via Team" <team@example.com>\r\nAuthor: Ann <a@x.example>\r\nReply-To: Ann <a@x.example>\r\n',
        ),
        (
            b"From: a@x.example\r\nReply-To: b@x.example\r\nAuthor: c@x.example\r\n",
            b'From: "a@x.example via Team" <team@example.com>\r\nReply-To: b@x.example\r\nAuthor: c@x.example\r\n',
        ),
        (
            b"From: =?utf-8?q?J=C3=BC?=\r\n <a@x.example>\r\n",
            b"From: =?utf-8?b?SsO8IHZpYSBUZWFt?= <team@example.com>\r\n"
            b"Author: =?utf-8?q?J=C3=BC?= <a@x.example>\r\nReply-To: =?utf-8?q?J=C3=BC?= <a@x.example>\r\n",
        ),
    ],
)
def test_a_list_that_shows_itself_names_the_author(raw: bytes, seen: bytes) -> None:
    assert changed(raw, TEAM, rewrites_from=True) == seen


def test_answers_go_to_the_list_where_the_author_does_not_say() -> None:
    to_list = make_list("team@example.com", replies_to_list=True)
    assert changed(b"From: a@x.example\r\n", to_list) == b"Reply-To: team@example.com\r\nFrom: a@x.example\r\n"
    assert changed(b"Reply-To: a@x.example\r\n", to_list) == b"Reply-To: a@x.example\r\n"


@pytest.mark.parametrize(
    ("value", "is_ours"),
    [
        (b"<team.example.com>", True),
        (b'"A <b> c" <TEAM.example.com>', True),
        (b"Team\r\n <team.example.com> ", True),
        (b"<team.example.org>", False),
        (b"team.example.com", False),
        (b"<team.example.com> <other.example>", False),
    ],
)
def test_a_mail_that_has_been_through_the_list_is_known(value: bytes, is_ours: bool) -> None:
    assert has_list_id(scan_fields(b"List-Id: " + value + b"\r\n"), "team@example.com") is is_ours


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"no", False),
        (b" No ", False),
        (b"no; x=y", False),
        (b"no (really)", False),
        (b"auto-replied", True),
        (b"auto-generated; x=no", True),
        (b"", True),
    ],
)
def test_what_says_that_it_is_automatic(value: bytes, expected: bool) -> None:
    assert is_automatic(scan_fields(b"Auto-Submitted:" + value + b"\r\n")) is expected
    assert not is_automatic(scan_fields(b"Subject: x\r\n"))


def test_ways_out() -> None:
    assert unsubscribe_fields("mailto:a@b", "") == b"List-Unsubscribe: <mailto:a@b>\r\n"
    assert unsubscribe_fields("mailto:a@b", "https://c/d") == (
        b"List-Unsubscribe: <https://c/d>, <mailto:a@b>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    )
    assert mailto_address("a?b%c@d") == "a%3Fb%25c@d"


def test_a_name_that_fits_no_line_is_cut() -> None:
    raw = b"From: " + b" ".join(b"=?utf-8?q?%b?=" % (b"a" * 60) for _ in range(30)) + b" <a@x.example>\r\n"
    name = b'From: "' + b"a" * 200 + b'\r\n via Team" <team@example.com>\r\n'
    assert changed(raw, TEAM, rewrites_from=True).startswith(name)
