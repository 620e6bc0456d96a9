"""X-Spam-Score, X-Spam-Explained and X-Spam-Flag: what a mail scores here, written for people and their programs, read
back, and found where others wrote them. No standard has these fields; mail programs look for them as SpamAssassin and
others have written them for long.
"""

import re
from collections.abc import Iterator, Sequence

from mailstack.formats.compose import write_field, write_text_field
from mailstack.formats.headers import Field, first, header_end, scan_fields, unfold
from mailstack.formats.words import decode_words
from mailstack.model.message import RawMessage
from mailstack.model.spam import Finding, Score

MAX_EXPLAINED = 1_600
MAX_WHY = 200
VIRUS, NO_VIRUS = "virus", "no-virus"
"""What the explanation begins with where there is one, and where somebody has looked for one in vain. Neither has
points, so that no rule of such a name is taken for it."""

_SCORE, _EXPLAINED, _FLAG = "X-Spam-Score", "X-Spam-Explained", "X-Spam-Flag"
_NAMES = frozenset(name.lower().encode() for name in (_SCORE, _EXPLAINED, _FLAG))
_PREFIX = b"x-spam-"
_BEFORE = "found-before"
# Not scan_fields: it stops after so many fields, and a forged one behind the last of them would be believed.
_FIELD = re.compile(
    rb"^x-spam-(?:score|explained|flag)[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+\n?", re.IGNORECASE | re.MULTILINE
)
_POINTS = re.compile(rb"-?[0-9]{1,6}(?:\.[0-9])?")


def write_spam_fields(score: Score, *, is_junk: bool) -> bytes:
    """Whole fields. is_junk: it goes to Junk."""
    flag = write_field(_FLAG, "YES") if is_junk else b""
    explained = explanation(score)
    return (
        write_field(_SCORE, f"{score.points:.1f}")
        + (write_text_field(_EXPLAINED, explained) if explained else b"")
        + flag
    )


def explanation(score: Score) -> str:
    """Each finding with its points, on one line; of very many, the first."""
    words = [*_of_viruses(score), *map(_told, score.findings)]
    told: list[str] = []
    room = MAX_EXPLAINED
    for word in words:
        room -= len(word) + 2
        if room < 0:
            told.append(f"and {len(words) - len(told)} more")
            break
        told.append(word)
    return "; ".join(told)


def _of_viruses(score: Score) -> Iterator[str]:
    if score.virus:
        yield f"{VIRUS} ({_shown(score.virus)})"
    elif score.is_virus_checked:
        yield NO_VIRUS


def _told(finding: Finding) -> str:
    why = f" ({_shown(finding.why)})" if finding.why else ""
    return f"{finding.rule} {finding.points:.1f}{why}"


def _shown(text: str) -> str:
    """What would end the explanation of one is shown as something else."""
    plain = text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
    plain = plain.replace(";", ",")
    return plain if len(plain) <= MAX_WHY else f"{plain[: MAX_WHY - 1]}…"


def claimed_spam_fields(raw: RawMessage) -> tuple[tuple[int, int], ...]:
    """The ranges of those that came with a mail."""
    header = raw[: header_end(raw)]
    if _PREFIX not in header.lower():
        return ()
    return tuple((found.start(), found.end()) for found in _FIELD.finditer(header))


def own_spam_fields(raw: RawMessage) -> tuple[tuple[int, int], ...]:
    """The ranges of those that a server of ours has written. They are of one account, and no other is to see them."""
    return tuple((field.start, field.end) for field in _on_top(raw) if field.name in _NAMES)


def without_own_spam_fields(text: bytes) -> bytes:
    """text: a message or a header."""
    at, kept = 0, b""
    for start, end in own_spam_fields(text):
        kept, at = kept + text[at:start], end
    return kept + text[at:]


def spam_fields_in(raw: RawMessage) -> Score | None:
    """As a server of ours has written it: the points as one finding. None where none has."""
    fields = _on_top(raw)
    points = first(fields, _SCORE.lower().encode()) or b""
    if not _POINTS.fullmatch(points):
        return None
    explained = decode_words(unfold(first(fields, _EXPLAINED.lower().encode()) or b""))
    has_virus = explained.startswith(f"{VIRUS} (")
    is_checked = has_virus or explained.partition(";")[0] == NO_VIRUS
    return score_before(float(points), has_virus=has_virus, is_virus_checked=is_checked)


def score_before(points: float, *, has_virus: bool = False, is_virus_checked: bool = False) -> Score:
    """What is left of one that was made earlier."""
    return Score(
        findings=(Finding(rule=_BEFORE, points=points),),
        virus=_BEFORE if has_virus else "",
        is_virus_checked=is_virus_checked,
    )


def _on_top(raw: RawMessage) -> Sequence[Field]:
    """What stands above the topmost Received did not come with the mail."""
    fields = scan_fields(raw)
    return fields[: next((place for place, field in enumerate(fields) if field.name == b"received"), 0)]
