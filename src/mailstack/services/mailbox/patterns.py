"""LIST's wildcards: `*` is anything, `%` anything within one level. RFC 9051 §6.3.9.1.

Matched by walking all states at once, as bits of one number, so that no pattern takes more than the path's length in
steps (CVE-2026-33607: backtracking is exponential).
"""

import re

from mailstack.model.errors import Invalid
from mailstack.model.mailbox import DELIMITER, INBOX

MAX_PATTERN_CHARACTERS = 1_000
MAX_WILDCARDS = 20

_WILDCARDS = re.compile(r"[*%]{2,}")


class Pattern:
    """Raises Invalid for patterns nobody needs."""

    def __init__(self, reference: str, pattern: str) -> None:
        # Wildcards side by side mean the widest of them.
        text = _WILDCARDS.sub(_widest, _inbox_spelt(reference + pattern))
        wildcards = sum(map(text.count, "*%"))
        if len(text) > MAX_PATTERN_CHARACTERS or wildcards > MAX_WILDCARDS:
            raise Invalid("a mailbox pattern is too long")
        self.ends_at_level = text.endswith("%")
        # Nearly all patterns: at most one wildcard, and what stands before and after it.
        self._wildcard = next((symbol for symbol in text if symbol in "*%"), "")
        self._is_simple = wildcards <= 1
        self._head, _, self._tail = text.partition(self._wildcard) if self._wildcard else (text, "", "")
        if not self._is_simple:
            self._make_states(text)
        # RFC 9051 §6.3.9: INBOX is matched without regard to case, by what stands before or after a wildcard as well.
        self._takes_inbox = self._matches(INBOX) or (text != text.upper() and Pattern("", text.upper()).matches(INBOX))

    def matches(self, path: str) -> bool:
        return self._takes_inbox if path == INBOX else self._matches(path)

    def _matches(self, path: str) -> bool:
        return self._matches_simply(path) if self._is_simple else self._matches_by_states(path)

    def _matches_simply(self, path: str) -> bool:
        if not self._wildcard:
            return path == self._head
        if self._wildcard == "*" and not self._head and not self._tail:
            return True
        end = len(path) - len(self._tail)
        if end < len(self._head) or not path.startswith(self._head) or not path.endswith(self._tail):
            return False
        return self._wildcard == "*" or DELIMITER not in path[len(self._head) : end]

    def _make_states(self, text: str) -> None:
        """Bit n: the first n symbols are matched. steps: for each character, the states that it leads on from."""
        steps: dict[str, int] = {}
        for at, symbol in enumerate(text):
            if symbol not in "*%":
                steps[symbol] = steps.get(symbol, 0) | 1 << at
        self._steps = steps
        self._stars = sum(1 << at for at, symbol in enumerate(text) if symbol == "*")
        self._all_wildcards = self._stars | sum(1 << at for at, symbol in enumerate(text) if symbol == "%")
        self._end = 1 << len(text)

    def _matches_by_states(self, path: str) -> bool:
        # A wildcard also matches nothing; there are no two side by side, so one step over it is enough.
        states = 1 | (self._all_wildcards & 1) << 1
        for character in path:
            stays = self._stars if character == DELIMITER else self._all_wildcards
            states = (states & self._steps.get(character, 0)) << 1 | (states & stays)
            states |= (states & self._all_wildcards) << 1
            if not states:
                return False
        return bool(states & self._end)


def _widest(found: re.Match[str]) -> str:
    return "*" if "*" in found.group() else "%"


def _inbox_spelt(text: str) -> str:
    # RFC 9051 §6.3.9: INBOX is matched without regard to case
    head, rest = text[: len(INBOX)], text[len(INBOX) :]
    return INBOX + rest if head.upper() == INBOX and (not rest or rest[0] in f"{DELIMITER}*%") else text
