"""Mailbox paths: names joined by `/`, checked before they become mailboxes. RFC 9051 §5.1, RFC 5198 §2."""

import unicodedata
from collections.abc import Iterable

from mailstack.model.errors import Invalid, TooLarge
from mailstack.model.mailbox import DELIMITER, INBOX

MAX_NAME_OCTETS = 255
MAX_DEPTH = 20
MAX_PATH_CHARACTERS = 1_000
"""Of a whole path: LIST matches each of them."""

# Control characters, surrogates, line and paragraph separators.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def split_path(path: str) -> tuple[str, ...]:
    """The names of a path that somebody wrote, INBOX in its own spelling. Raises Invalid, TooLarge."""
    # RFC 9051 §6.3.4: a closing delimiter announces children to come, and is not part of the name.
    path = path.removesuffix(DELIMITER)
    names = (path if path.isascii() else unicodedata.normalize("NFC", path)).split(DELIMITER)
    if len(names) > MAX_DEPTH or len(path) > MAX_PATH_CHARACTERS:
        raise TooLarge(f"a path has at most {MAX_DEPTH} levels and {MAX_PATH_CHARACTERS} characters")
    for name in names:
        _check_name(name)
    # RFC 9051 §5.1: INBOX in any case is INBOX
    return (INBOX, *names[1:]) if names[0].upper() == INBOX else tuple(names)


def checked_name(name: str, *, is_top: bool) -> str:
    """One name alone, as split_path has it of a path. Raises Invalid, TooLarge."""
    if is_top:
        return split_path(name)[-1]
    _, *names = split_path(join_path((INBOX, name)))
    return names[-1]


def join_path(names: tuple[str, ...]) -> str:
    return DELIMITER.join(names)


def ancestors(path: str) -> list[str]:
    """The paths above it, the topmost first."""
    at = path.find(DELIMITER)
    found: list[str] = []
    while at >= 0:
        found.append(path[:at])
        at = path.find(DELIMITER, at + 1)
    return found


def above_all(paths: Iterable[str]) -> set[str]:
    return {parent for path in paths for parent in ancestors(path)}


def _check_name(name: str) -> None:
    if not name:
        raise Invalid("a mailbox name is empty")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_OCTETS:
        raise TooLarge(f"a mailbox name is over {MAX_NAME_OCTETS} octets")
    # Nothing that is refused is printable, and nearly all names are.
    if not name.isprintable() and any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in name):
        raise Invalid("a mailbox name holds control characters")
    if name != name.strip():
        raise Invalid("a mailbox name begins or ends with white space")
    if "*" in name or "%" in name:
        # RFC 9051 §5.1: names with wildcards cannot be listed alone; a server is free to refuse them.
        raise Invalid("a mailbox name holds a wildcard")
