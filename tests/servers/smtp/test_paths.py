"""The grammar of MAIL and RCPT arguments. RFC 5321 §4.1.2, RFC 6531 §3.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.address import Address
from mailstack.model.errors import Invalid
from mailstack.servers.smtp.paths import parse_forward_path, parse_reverse_path

LIMIT = 256


@pytest.mark.parametrize(
    ("text", "path", "local_part", "domain"),
    [
        ("<a@b.example>", "a@b.example", "a", "b.example"),
        ("<First.Last@B.Example>", "First.Last@B.Example", "First.Last", "b.example"),
        (
            "<a+b=c/d{e}~!#$%&'*^`|?_-@b.example>",
            "a+b=c/d{e}~!#$%&'*^`|?_-@b.example",
            "a+b=c/d{e}~!#$%&'*^`|?_-",
            None,
        ),
        ('<"a b"@b.example>', '"a b"@b.example', "a b", "b.example"),
        (r'<"a\"b\\c@d"@b.example>', r'"a\"b\\c@d"@b.example', r'a"b\c@d', "b.example"),
        ('<""@b.example>', '""@b.example', "", "b.example"),
        # RFC 5321 Appendix C: source routes are taken and dropped.
        ("<@one.example,@two.example:a@b.example>", "a@b.example", "a", "b.example"),
        ("<a@[192.0.2.1]>", "a@[192.0.2.1]", "a", "[192.0.2.1]"),
        ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"),
        ("<dömi@bücher.example>", "dömi@bücher.example", "dömi", "xn--bcher-kva.example"),
        ("<a@localhost>", "a@localhost", "a", "localhost"),
    ],
)
def test_paths_are_taken_apart(text: str, path: str, local_part: str, domain: str | None) -> None:
    found = parse_forward_path(text, limit=LIMIT)
    assert (found.text, found.address) == (path, Address(local_part=local_part, domain=domain or "b.example"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a@b.example",
        "<a@b.example",
        "a@b.example>",
        " <a@b.example>",
        "<a@b.example>x",
        "<a>",
        "<@b.example>",
        "<a@>",
        "<a..b@c.example>",
        "<.a@c.example>",
        "<a.@c.example>",
        "<a b@c.example>",
        '<"a"b@c.example>',
        '<"a@c.example>',
        "<a@c.example.>",
        "<a@.c.example>",
        "<a@-c.example>",
        "<a@c..example>",
        "<a@[300.1.1.1]>",
        "<a@[IPv6:1:2]>",
        "<a@[tag:x]>",
        "<a@[192.0.2.1>",
        "<<a@b.example>>",
        "<a@b.example\r>",
        "<a@b.example\n>",
        "<a\0@b.example>",
        "<a@b.example>\tSIZE=1",
        "<a\u2028b@c.example>",
        "<a\x85b@c.example>",
        "<a\udcffb@c.example>",
        f"<{'a' * LIMIT}@b.example>",
        f"<a@{'b' * 64}.example>",
    ],
)
def test_what_is_no_path_is_invalid(text: str) -> None:
    for parse in (parse_forward_path, parse_reverse_path):
        with pytest.raises(Invalid):
            parse(text, limit=LIMIT)


def test_the_null_path_is_a_reverse_path_only() -> None:
    assert parse_reverse_path("<>", limit=LIMIT).address is None
    with pytest.raises(Invalid):
        parse_forward_path("<>", limit=LIMIT)


@pytest.mark.parametrize("text", ["<postmaster>", "<Postmaster>", "<POSTMASTER>"])
def test_postmaster_needs_no_domain_as_a_recipient(text: str) -> None:
    found = parse_forward_path(text, limit=LIMIT)
    assert found.address == Address(local_part=text[1:-1], domain="")
    with pytest.raises(Invalid):
        parse_reverse_path(text, limit=LIMIT)


@pytest.mark.parametrize(
    ("rest", "parameters"),
    [
        ("", {}),
        (" SIZE=10", {"SIZE": "10"}),
        ("  size=10   Body=8BITMIME ", {"SIZE": "10", "BODY": "8BITMIME"}),
        (" SMTPUTF8", {"SMTPUTF8": None}),
        (" AUTH=<>", {"AUTH": "<>"}),
        (" X-Y=ä", {"X-Y": "ä"}),
    ],
)
def test_parameters_are_by_upper_case_keyword(rest: str, parameters: dict[str, str | None]) -> None:
    assert parse_reverse_path(f"<a@b.example>{rest}", limit=LIMIT).parameters == parameters


@pytest.mark.parametrize("rest", [" =1", " SIZE=", " SIZE=1 size=2", " SIZE=1=2", " -A=1", " A B@", " A=\x07"])
def test_malformed_parameters_are_invalid(rest: str) -> None:
    with pytest.raises(Invalid):
        parse_reverse_path(f"<a@b.example>{rest}", limit=LIMIT)


@given(st.text(max_size=80))
def test_any_text_is_a_path_or_invalid(text: str) -> None:
    for parse in (parse_forward_path, parse_reverse_path):
        try:
            found = parse(f"<{text}>", limit=LIMIT)
        except Invalid:
            continue
        assert not any((c.isspace() and c != " ") or ord(c) < 32 for c in found.text)
