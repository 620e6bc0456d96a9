"""RFC 5322 appendix A: its own address lists, obsolete forms included; and what hostile senders write."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.addresses import Group, Mailbox, display, parse_addresses, parse_mailboxes
from mailstack.formats.limits import Limits


@pytest.mark.parametrize(
    ("value", "entries"),
    [
        (b"John Doe <jdoe@machine.example>", (Mailbox(b"John Doe", b"jdoe", b"machine.example"),)),  # RFC 5322 A.1.1
        (
            b'"Joe Q. Public" <john.q.public@example.com>',
            (Mailbox(b"Joe Q. Public", b"john.q.public", b"example.com"),),
        ),
        (
            b"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",  # A.1.2
            (
                Mailbox(b"Mary Smith", b"mary", b"x.test"),
                Mailbox(b"", b"jdoe", b"example.org"),
                Mailbox(b"Who?", b"one", b"y.test"),
            ),
        ),
        (
            b'<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
            (Mailbox(b"", b"boss", b"nil.test"), Mailbox(b'Giant; "Big" Box', b"sysservices", b"example.net")),
        ),
        (
            b"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",  # A.1.3
            (
                Group(
                    b"A Group",
                    (
                        Mailbox(b"Ed Jones", b"c", b"a.test"),
                        Mailbox(b"", b"joe", b"where.test"),
                        Mailbox(b"John", b"jdoe", b"one.test"),
                    ),
                ),
            ),
        ),
        (b"Undisclosed recipients:;", (Group(b"Undisclosed recipients", ()),)),
        (
            b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",  # A.5
            (Mailbox(b"Pete", b"pete", b"silly.test"),),
        ),
        (
            b"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
            b"         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
            (
                Group(
                    b"A Group",
                    (
                        Mailbox(b"Chris Jones", b"c", b"public.example"),
                        Mailbox(b"", b"joe", b"example.org"),
                        Mailbox(b"John", b"jdoe", b"one.test"),
                    ),
                ),
            ),
        ),
        (b"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", (Group(b"Hidden recipients", ()),)),
        (b"Joe Q. Public <john.q.public@example.com>", (Mailbox(b"Joe Q. Public", b"john.q.public", b"example.com"),)),
        (
            b"Mary Smith <@node.test:mary@example.net>, , jdoe@test   . example",  # A.6.1: obs-route, empty members
            (Mailbox(b"Mary Smith", b"mary", b"example.net", b"@node.test"), Mailbox(b"", b"jdoe", b"test.example")),
        ),
        (b"John Doe <jdoe@machine(comment).  example>", (Mailbox(b"John Doe", b"jdoe", b"machine.example"),)),  # A.6.3
        (b"j . doe @ example", (Mailbox(b"", b"j.doe", b"example"),)),
        (b'"a b"@c', (Mailbox(b"", b"a b", b"c"),)),
        (b'<"a\\"b"@c>', (Mailbox(b"", b'a"b', b"c"),)),
        (b"x@[127.0.0.1] (A Name)", (Mailbox(b"A Name", b"x", b"[127.0.0.1]"),)),
        ("é <ü@ö.example>".encode(), (Mailbox("é".encode(), "ü".encode(), "ö.example".encode()),)),  # RFC 6532
        (b"foo", (Mailbox(b"", b"foo", b""),)),
        (b"Fred <foo", (Mailbox(b"Fred", b"foo", b""),)),
        (b"a@b@c", (Mailbox(b"", b"a", b"bc"),)),
        (b'a@b, "unclosed', (Mailbox(b"", b"a", b"b"), Mailbox(b"", b"unclosed", b""))),
        (b"a: b@c", (Group(b"a", (Mailbox(b"", b"b", b"c"),)),)),
        (b"a: b: c@d;", (Group(b"a", (Mailbox(b"", b"c", b"d"),)),)),
        (b"a@b;c@d", (Mailbox(b"", b"a", b"b"), Mailbox(b"", b"c", b"d"))),
        (b"<>", ()),
        (b"", ()),
        (b", ,;,", ()),
        (b"(only a comment", ()),
    ],
)
def test_lists_are_read(value: bytes, entries: tuple[Mailbox | Group, ...]) -> None:
    assert parse_addresses(value.replace(b"\r\n", b"")) == entries


def test_mailboxes_of_groups_stand_with_the_others() -> None:
    assert [m.local_part for m in parse_mailboxes(b"a@x, g: b@x, c@x;, d@x")] == [b"a", b"b", b"c", b"d"]


def test_display_is_decoded() -> None:
    assert display(parse_mailboxes(b"=?utf-8?q?J=C3=BCrgen?= <j@x>, k@y")) == "Jürgen <j@x>, k@y"
    assert (
        display(parse_addresses(b"=?utf-8?q?J=C3=BC?=: a@b, C <c@d>;, e@f, none:;"))
        == "Jü: a@b, C <c@d>;, e@f, none: ;"
    )


def test_the_number_of_addresses_is_bounded() -> None:
    assert len(parse_addresses(b"a@b," * 50, limits=Limits(addresses=7))) == 7


@pytest.mark.parametrize(
    "piece",
    [b"a@b,", b"<", b'"', b"(", b"(a)", b"a b ", b"a@", b":", b"a:b;", b"\\", b"[", b'<"', b". ", b"@a,", b"\x00"],
)
def test_mime_bombs_of_addresses_take_linear_time(piece: bytes) -> None:
    # CVE-2026-27852: quadratic work on a header of addresses. A quadratic reader would take minutes here.
    parse_addresses(piece * (256 * 1024 // len(piece)))


@settings(derandomize=True, max_examples=500)
@given(
    st.lists(
        st.sampled_from([b"a", b"@", b"<", b">", b",", b";", b":", b'"', b"\\", b"(", b")", b"[", b"]", b" ", b"."])
    )
)
def test_any_bytes_are_read(pieces: list[bytes]) -> None:
    for entry in parse_addresses(b"".join(pieces)):
        assert isinstance(entry, Mailbox | Group)
