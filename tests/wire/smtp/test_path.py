"""Paths in commands: quoted where needed, and never more than one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.errors import Invalid
from mailstack.wire.smtp.path import needs_smtp_utf8, write_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", b"<>"),  # RFC 5321 §4.5.5
        ("alice@example.com", b"<alice@example.com>"),
        ("a.b+c=d@EXAMPLE.com", b"<a.b+c=d@example.com>"),
        ("a b@example.com", b'<"a b"@example.com>'),  # RFC 5321 §4.1.2
        (".a.@example.com", b'<".a."@example.com>'),
        ('a"b\\c@example.com', b'<"a\\"b\\\\c"@example.com>'),
        ('"a b"@example.com', b'<"a b"@example.com>'),
        ('"a\\"@b"@example.com', b'<"a\\"@b"@example.com>'),
        ("a@b@example.com", b'<"a@b"@example.com>'),
        ("a>b@example.com", b'<"a>b"@example.com>'),
        ("x@[192.0.2.1]", b"<x@[192.0.2.1]>"),  # RFC 5321 §4.1.3
        ("x@[ipv6:2001:db8::1]", b"<x@[ipv6:2001:db8::1]>"),
        ("grüße@example.com", "<grüße@example.com>".encode()),  # RFC 6531 §3.3
        ("x@grüße.example", b"<x@xn--gre-6ka8l.example>"),
    ],
)
def test_paths(text: str, expected: bytes) -> None:
    assert expected == write_path(text)


@pytest.mark.parametrize(
    "text",
    [
        "no at",
        "@example.com",
        "a@",
        "a\r\nRCPT TO:<b@c.example>@example.com",
        "a\nb@example.com",
        "a\x00@example.com",
        "a@exa\r\nmple.com",
        "a@example.com>\r\nDATA",
        "a@exa mple.com",
        "a@example.com> SIZE=1",
        "a@[1.2.3.4",
        "a@[1.2\r\n]",
        "a\x85b@example.com",
        "a\u2028b@example.com",
    ],
)
def test_what_could_hold_a_command_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        write_path(text)


@given(st.text(st.characters(), max_size=40), st.text(max_size=10))
def test_a_path_is_one_line_in_angle_brackets_or_invalid(local_part: str, domain: str) -> None:
    try:
        path = write_path(f"{local_part}@{domain}.example")
    except Invalid:
        return
    assert path.startswith(b"<")
    assert path.endswith(b".example>")
    assert not {b"\r", b"\n", b"\0"} & {path[at : at + 1] for at in range(len(path))}


def test_only_the_local_part_asks_for_smtp_utf8() -> None:
    assert needs_smtp_utf8("grüße@example.com")
    assert not needs_smtp_utf8("x@grüße.example")
