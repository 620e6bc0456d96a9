"""RFC 5322 §3.2.2: comments nest, may hold quoted pairs, and end."""

import pytest

from mailstack.formats.comments import comment_end, without_comments


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (b"a(b)c", b"a c"),
        (b"a(b(c)d)e", b"a e"),
        (b"a(b\\)c)d", b"a d"),
        (b'a"(b)"c', b'a"(b)"c'),
        (b'a"\\"(b)"c', b'a"\\"(b)"c'),
        (b"a)b", b"a)b"),
        (b"a(b", b"a "),
        (b"", b""),
    ],
)
def test_comments_become_spaces(value: bytes, plain: bytes) -> None:
    assert without_comments(value) == plain


def test_the_end_of_a_comment() -> None:
    assert comment_end(b"(a)b", 1) == 3
    assert comment_end(b"(a", 1) == 2
