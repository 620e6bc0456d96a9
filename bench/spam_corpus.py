"""The mail that `python -m bench spam` learns from and judges: ../shared/suites/spam, in ways to part it.

What the collectors of the corpus put around each mail is taken off, for all that are compared: the line of the mbox,
fields of their filters and of their own delivery.
"""

import os
import random
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from mailstack.formats.dates import parse_date
from mailstack.formats.headers import Field, first, remove_fields, scan_fields
from mailstack.spam.features import Features, features_of

SUITES = Path(os.environ.get("MAILSTACK_SUITES", Path(__file__).parents[2] / "shared" / "suites"))
ARCHIVE = SUITES / "spam" / "spamassassin-part.tar.xz"
FOLDS = 5
PAST = 0.6
BY_DATE = f"By date, the first {PAST * 100:.0f} % learned"
_SEED = 9
_COLLECTORS = frozenset({b"delivered-to", b"return-path", b"x-status", b"x-keywords", b"delivery-date", b"x-loop"})
_HOST = re.compile(rb"@([\w.-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """arrived: of the last hop, in milliseconds. source: the list that it came by, or else its sender's domain."""

    name: str
    is_spam: bool
    raw: bytes
    features: Features
    arrived: int
    source: bytes

    @property
    def kind(self) -> str:
        if self.is_spam:
            return "spam, HTML" if b"text/html" in self.raw.lower() else "spam, plain"
        if "hard" in self.name:
            return "ham, hard (newsletters and the like)"
        is_list = any(field.name in (b"list-id", b"mailing-list") for field in scan_fields(self.raw))
        return "ham of lists" if is_list else "ham, other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Who learns from what, and judges what."""

    name: str
    rounds: Sequence[tuple[Sequence[Mail], Sequence[Mail]]]


def corpus() -> list[Mail]:
    with tarfile.open(ARCHIVE) as archive:
        # In the order of the archive: to go back in it is to unpack it again.
        files = [(member.name, file.read()) for member in archive if (file := archive.extractfile(member)) is not None]
    return [_mail(name, text) for name, text in sorted(files)]


def splits(mails: Sequence[Mail]) -> list[Split]:
    """Folds; the past and what followed; and one half of all senders and lists of ham, and the other."""
    shuffled = random.Random(_SEED).sample(mails, len(mails))
    folds = [shuffled[at::FOLDS] for at in range(FOLDS)]
    rest = [list(chain.from_iterable(fold for fold in folds if fold is not judged)) for judged in folds]
    by_date = sorted(mails, key=lambda mail: mail.arrived)
    now = int(len(by_date) * PAST)
    halves = _halves(shuffled)
    return [
        Split(name=f"{FOLDS} folds", rounds=list(zip(rest, folds, strict=True))),
        Split(name=BY_DATE, rounds=[(by_date[:now], by_date[now:])]),
        Split(name="Strangers, one way", rounds=[halves]),
        Split(name="Strangers, the other way", rounds=[halves[::-1]]),
    ]


def _halves(mails: Sequence[Mail]) -> tuple[list[Mail], list[Mail]]:
    sources = sorted({mail.source for mail in mails})
    random.Random(_SEED).shuffle(sources)
    chosen = set(sources[::2])
    halves: tuple[list[Mail], list[Mail]] = ([], [])
    for number, mail in enumerate(mails):
        halves[number % 2 if mail.is_spam else mail.source in chosen].append(mail)
    return halves


def _mail(name: str, text: bytes) -> Mail:
    if text.startswith(b"From "):
        text = text.partition(b"\n")[2]
    whole = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    fields = scan_fields(whole)
    raw = remove_fields(whole, _COLLECTORS | {field.name for field in fields if field.name.startswith(b"x-spam")})
    return Mail(
        name=name,
        is_spam=name.removeprefix("./").startswith("spam/"),
        raw=raw,
        features=features_of(raw),
        arrived=_arrived(fields),
        source=_source(fields),
    )


def _arrived(fields: Sequence[Field]) -> int:
    hop = (first(fields, b"received") or b"").rpartition(b";")[2]
    return parse_date(hop) or parse_date(first(fields, b"date") or b"") or 0


def _source(fields: Sequence[Field]) -> bytes:
    found = first(fields, b"list-id") or first(fields, b"mailing-list")
    if found is None and (host := _HOST.search(first(fields, b"from") or b"")):
        found = host[1].lower()
    return found or b""
