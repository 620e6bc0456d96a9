"""LIST's wildcards: `*` is anything, `%` anything within one level. RFC 9051 §6.3.9.1.

Matched by walking all states at once, so that no pattern takes more than its length times the path's
(CVE-2026-33607: backtracking is exponential).
"""

from mailstack.model.errors import Invalid
from mailstack.model.mailbox import DELIMITER, INBOX

MAX_PATTERN_CHARACTERS = 1_000
MAX_WILDCARDS = 20


class Pattern:
    """Raises Invalid for patterns nobody needs."""

    def __init__(self, reference: str, pattern: str) -> None:
        text = _inbox_spelt(reference + pattern)
        if len(text) > MAX_PATTERN_CHARACTERS or sum(map(text.count, "*%")) > MAX_WILDCARDS:
            raise Invalid("a mailbox pattern is too long")
        self._text = text
        # Nearly all patterns: at most one wildcard, and what stands before and after it.
        self._wildcard = next((symbol for symbol in text if symbol in "*%"), "")
        self._is_simple = sum(map(text.count, "*%")) <= 1
        self._head, _, self._tail = text.partition(self._wildcard) if self._wildcard else (text, "", "")

    def matches(self, path: str) -> bool:
        return self._matches_simply(path) if self._is_simple else self._matches_by_states(path)

    def _matches_simply(self, path: str) -> bool:
        if not self._wildcard:
            return path == self._head
        end = len(path) - len(self._tail)
        if end < len(self._head) or not path.startswith(self._head) or not path.endswith(self._tail):
            return False
        return self._wildcard == "*" or DELIMITER not in path[len(self._head) : end]

    def _matches_by_states(self, path: str) -> bool:
        states = self._through_wildcards({0})
        for character in path:
            states = self._through_wildcards(self._after(states, character))
            if not states:
                return False
        return len(self._text) in states

    def _after(self, states: set[int], character: str) -> set[int]:
        """Where the pattern can stand once the character is taken."""
        reached: set[int] = set()
        for at in states:
            if at == len(self._text):
                continue
            symbol = self._text[at]
            if symbol == "*" or (symbol == "%" and character != DELIMITER):
                reached.add(at)
            elif symbol == character and symbol != "%":
                reached.add(at + 1)
        return reached

    def _through_wildcards(self, states: set[int]) -> set[int]:
        """A wildcard also matches nothing."""
        reached = set(states)
        for at in states:
            while at < len(self._text) and self._text[at] in "*%":
                at += 1
                reached.add(at)
        return reached


def _inbox_spelt(text: str) -> str:
    # RFC 9051 §6.3.9: INBOX is matched without regard to case
    head, rest = text[: len(INBOX)], text[len(INBOX) :]
    return INBOX + rest if head.upper() == INBOX and (not rest or rest[0] in f"{DELIMITER}*%") else text
