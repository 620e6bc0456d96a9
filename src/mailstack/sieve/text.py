"""The strings of a script: what they are at compiling, and where they hold variables, at each run. RFC 5229 §3."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailstack.sieve.run import Run

Part = str | Callable[["Run"], str]


@dataclass(frozen=True, slots=True)
class Text:
    """constant: None where it is made anew for each run."""

    constant: str | None
    parts: tuple[Part, ...] = ()

    def of(self, run: "Run") -> str:
        if self.constant is not None:
            return self.constant
        made: list[str] = []
        left = run.limits.expanded_octets
        for part in self.parts:
            made.append(part if isinstance(part, str) else part(run))
            left -= len(made[-1])
            if left <= 0:
                # A short string may name a long variable very often.
                break
        return run.bounded("".join(made), run.limits.expanded_octets)


@dataclass(frozen=True, slots=True)
class Texts:
    items: tuple[Text, ...]
    constants: tuple[str, ...] | None
    at: int

    def of(self, run: "Run") -> tuple[str, ...]:
        return self.constants if self.constants is not None else tuple([text.of(run) for text in self.items])


def texts(items: Sequence[Text], at: int) -> Texts:
    known = [item.constant for item in items if item.constant is not None]
    return Texts(tuple(items), tuple(known) if len(known) == len(items) else None, at)


def octets_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def cut(text: str, octets: int) -> str:
    """To at most so many, in UTF-8."""
    if len(text) <= octets // 4:
        return text
    if text.isascii():
        return text[:octets]
    return text.encode("utf-8", "replace")[:octets].decode("utf-8", "ignore")


Reference = Callable[[str], "Callable[[Run], str] | None"]
"""From what stands between `${` and `}` to what it is at run time; None where it is plain text. Raises Misplaced."""

# RFC 5229 §3: variable-ref = "${" *namespace variable-name "}"
_REFERENCE = re.compile(r"\$\{([^${}\r\n]*+)\}")


def template(value: str, reference: Reference) -> Text:
    parts: list[Part] = []
    at = 0
    for found in _REFERENCE.finditer(value):
        part = reference(found[1])
        if part is not None:
            parts += [value[at : found.start()], part]
            at = found.end()
    if not parts:
        return Text(value)
    return Text(None, tuple(part for part in (*parts, value[at:]) if part != ""))
