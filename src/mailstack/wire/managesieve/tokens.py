"""A cursor over one whole command: the words of RFC 5804 §4, each as one method.

Every method takes what it names from the front or raises SyntaxProblem. Literals lie beside the text, never inside.
"""

import re
from collections.abc import Sequence

from mailstack.wire.managesieve.faults import SyntaxProblem

# ATOM-CHAR = "!" / %x23-27 / %x2A-5B / %x5D-7A / %x7C-7E; atom = 1*1024ATOM-CHAR
_ATOM = re.compile(rb"[!\x23-\x27\x2a-\x5b\x5d-\x7a\x7c-\x7e]{1,1024}")
# SAFE-CHAR = %x01-09 / %x0B-0C / %x0E-21 / %x23-5B / %x5D-7F; quoted = DQUOTE *1024QUOTED-CHAR DQUOTE
# Deviates: longer ones are taken as far as the line goes, for clients send a SASL response quoted whatever its length.
_QUOTED = re.compile(rb"\"((?:[^\x00\r\n\"\\]+|\\[\"\\])*+)\"")
_QUOTED_PAIR = re.compile(rb"\\(.)")
# number = (NZDIGIT *DIGIT) / "0": without leading zeros
_NUMBER = re.compile(rb"(?:0|[1-9][0-9]{0,9})(?![0-9])")
MAX_NUMBER = (1 << 32) - 1


class Cursor:
    """parts: text, literal, text, literal, …, text. The text before a literal ends where its `{n+}` began."""

    __slots__ = ("_at", "_index", "_parts", "_text")

    def __init__(self, parts: Sequence[bytes]) -> None:
        self._parts = parts
        self._index = 0
        self._text = parts[0]
        self._at = 0

    def skip(self, expected: bytes) -> bool:
        """Takes exactly these octets if they are next."""
        if not self._text.startswith(expected, self._at):
            return False
        self._at += len(expected)
        return True

    def space(self) -> None:
        if not self.skip(b" "):
            raise SyntaxProblem("expected a space")

    def end(self) -> None:
        if self._at < len(self._text) or self._index < len(self._parts) - 1:
            raise SyntaxProblem("unexpected text after the command")

    def word(self) -> str:
        """An atom in upper case: the name of a command. RFC 5804 §4: it may come in any case."""
        return self._taken(_ATOM, "a command").group().upper().decode("ascii")

    def number(self) -> int:
        value = int(self._taken(_NUMBER, "a number").group())
        if value > MAX_NUMBER:
            raise SyntaxProblem("a number is too large")
        return value

    def string(self) -> bytes:
        """string = quoted / literal-c2s"""
        if self._at == len(self._text) and self._index + 2 < len(self._parts):
            literal = self._parts[self._index + 1]
            self._index += 2
            self._text = self._parts[self._index]
            self._at = 0
            return literal
        inner: bytes = self._taken(_QUOTED, "a string").group(1)
        return _QUOTED_PAIR.sub(rb"\1", inner) if b"\\" in inner else inner

    def text(self) -> str:
        """A string of UTF-8."""
        try:
            return self.string().decode()
        except UnicodeDecodeError:
            raise SyntaxProblem("a string is not UTF-8") from None

    def script_name(self) -> str:
        """sieve-name = string ;; Empty string is not allowed."""
        name = self.text()
        if not name:
            raise SyntaxProblem("a script name is empty")
        return name

    def _taken(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise SyntaxProblem(f"expected {what}")
        self._at = found.end()
        return found
