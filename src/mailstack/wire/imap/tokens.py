"""A cursor over one whole command: the words of RFC 9051 §9 (and RFC 3501 §9), each as one method.

Every method takes what it names from the front or raises SyntaxProblem. Literals lie beside the text, never inside.
"""

import re
from collections.abc import Sequence

from mailstack.model.errors import Invalid
from mailstack.wire.imap import utf7
from mailstack.wire.imap.faults import RefusedProblem, SyntaxProblem

# atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
# ASTRING-CHAR = ATOM-CHAR / resp-specials
_ASTRING = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
# list-char = ATOM-CHAR / list-wildcards / resp-specials
_LIST_CHARS = re.compile(rb"[^\x00-\x20\x7f-\xff(){\"\\]+")
# quoted = DQUOTE *QUOTED-CHAR DQUOTE; RFC 9051 lets UTF-8 in, and clients of RFC 3501 send it in passwords.
_QUOTED = re.compile(rb"\"((?:[^\x00\r\n\"\\]+|\\[\"\\])*+)\"")
_QUOTED_PAIR = re.compile(rb"\\(.)")
_NUMBER = re.compile(rb"[0-9]{1,19}")
MAX_NUMBER = (1 << 32) - 1
MAX_NUMBER64 = (1 << 63) - 1


class Cursor:
    """parts: text, literal, text, literal, …, text. The text before a literal ends where its `{n}` began."""

    __slots__ = ("_at", "_depth", "_index", "_is_utf8", "_items", "_nesting", "_parts", "_text")

    def __init__(self, parts: Sequence[bytes], *, nesting: int, items: int, is_utf8: bool = False) -> None:
        """is_utf8: mailbox names are UTF-8. RFC 6855 §3, RFC 9051 §5.1."""
        self._parts = parts
        self._index = 0
        self._text = parts[0]
        self._at = 0
        self._depth = 0
        self._nesting = nesting
        self._items = items
        self._is_utf8 = is_utf8

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """What the pattern finds right here, taken; None takes nothing."""
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def skip(self, expected: bytes) -> bool:
        """Takes exactly these octets if they are next."""
        if not self._text.startswith(expected, self._at):
            return False
        self._at += len(expected)
        return True

    def skip_word(self, expected: bytes) -> bool:
        """Takes this word, in any case, if the next atom is it."""
        found = _ATOM.match(self._text, self._at)
        if found is None or found.group().upper() != expected:
            return False
        self._at = found.end()
        return True

    def require(self, expected: bytes) -> None:
        if not self.skip(expected):
            raise SyntaxProblem(f"expected {expected.decode('ascii')}")

    def space(self) -> None:
        if not self.skip(b" "):
            raise SyntaxProblem("expected a space")

    def is_next(self, octets: bytes) -> bool:
        """One of these octets comes next; at the end of the text none does."""
        return self._at < len(self._text) and self._text[self._at] in octets

    def is_at_end(self) -> bool:
        return self._at == len(self._text) and self._index == len(self._parts) - 1

    def end(self) -> None:
        if not self.is_at_end():
            raise SyntaxProblem("unexpected text after the command")

    def atom(self) -> bytes:
        return self._taken(_ATOM, "an atom")

    def word(self) -> str:
        """An atom in upper case: a keyword of the grammar."""
        return self.atom().upper().decode("ascii")

    def number(self, *, largest: int = MAX_NUMBER) -> int:
        value = int(self._taken(_NUMBER, "a number"))
        if value > largest:
            raise SyntaxProblem("a number is too large")
        return value

    def nz_number(self) -> int:
        number = self.number()
        if not number:
            raise SyntaxProblem("expected a number above 0")
        return number

    def astring(self) -> bytes:
        found = self.match(_ASTRING)
        return found.group() if found else self.string()

    def string(self) -> bytes:
        """string = quoted / literal"""
        if self.is_next(b'"'):
            return self._quoted()
        if self._is_at_literal():
            return self._literal()
        raise SyntaxProblem("expected a string")

    def string8(self) -> bytes:
        """string / literal8: RFC 3516 §4: with any octet."""
        if self._is_at_literal():
            return self._literal(is_binary=True)
        return self.string()

    def text(self, octets: bytes) -> str:
        """Strings are US-ASCII or UTF-8; RFC 9051 §4.3."""
        try:
            return octets.decode()
        except UnicodeDecodeError:
            raise SyntaxProblem("a string is not UTF-8") from None

    def mailbox(self) -> str:
        """mailbox = "INBOX" / astring; RFC 3501 §5.1.3: in modified UTF-7 until UTF-8 is switched on."""
        return self._mailbox_name(self.astring())

    def list_mailbox(self) -> str:
        """list-mailbox = 1*list-char / string"""
        found = self.match(_LIST_CHARS)
        pattern = found.group() if found else self.string()
        try:
            return self._mailbox_name(pattern)
        except RefusedProblem:
            # A pattern that is no name's form fits what it fits by its letters: most often nothing, which is no error.
            return self.text(pattern)

    def descend(self) -> None:
        """One level deeper: an opened parenthesis, a NOT. Ended by ascend()."""
        self._depth += 1
        if self._depth > self._nesting:
            raise SyntaxProblem("nested too deep")

    def ascend(self) -> None:
        self._depth -= 1

    def check_items(self, count: int) -> None:
        if count > self._items:
            raise SyntaxProblem("too many items")

    def _taken(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        found = self.match(pattern)
        if found is None:
            raise SyntaxProblem(f"expected {what}")
        return found.group()

    def _quoted(self) -> bytes:
        found = self.match(_QUOTED)
        if found is None:
            raise SyntaxProblem("a quoted string does not end, or holds what it must not")
        inner = found.group(1)
        return _QUOTED_PAIR.sub(rb"\1", inner) if b"\\" in inner else inner

    def _is_at_literal(self) -> bool:
        return self._at == len(self._text) and self._index + 2 < len(self._parts)

    def _literal(self, *, is_binary: bool = False) -> bytes:
        literal = self._parts[self._index + 1]
        if not is_binary and b"\0" in literal:
            raise SyntaxProblem("a literal holds NUL")  # RFC 9051 §9: CHAR8 = %x01-ff
        self._index += 2
        self._text = self._parts[self._index]
        self._at = 0
        return literal

    def _mailbox_name(self, octets: bytes) -> str:
        if self._is_utf8:
            return self.text(octets)
        try:
            return utf7.decode(octets)
        except Invalid as fault:
            # The grammar holds, but no mailbox can have this name: NO, as for all names that there are not.
            raise RefusedProblem("CANNOT", fault.detail) from None
