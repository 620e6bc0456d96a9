"""A filter script over a mail with no server at hand: what it would do, for an account of which little is known."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mailstack.app.spec_tests.letter import why_unreadable
from mailstack.formats.spam_fields import score_before, spam_fields_in
from mailstack.model.errors import Invalid
from mailstack.model.spam import DEFAULT_POLICY, Judged
from mailstack.services.inbound.filter.context import with_score
from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.facts import (
    Fact,
    IncludedScript,
    IsDuplicate,
    IsListed,
    ListExists,
    MailboxExists,
    MailboxIdExists,
    Metadata,
    SpecialUseExists,
    Wanted,
)
from mailstack.sieve.faults import Broken
from mailstack.sieve.run import Mail, Outcome, Script, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """folder: where the scripts are that others include, as NAME.sieve. mailboxes: by name; INBOX is always there."""

    folder: Path
    mailboxes: Collection[str] = ()


def compiled(path: Path, *, is_traced: bool = False) -> Script:
    """Raises Invalid for a file that cannot be read, Broken for a script that does not compile."""
    if reason := why_unreadable(path):
        raise Invalid(reason)
    return compile_script(path.read_bytes(), EXTENSIONS, is_traced=is_traced)


def outcome(script: Script, mail: Mail, around: Around) -> Outcome:
    facts: dict[Fact, object] = {}
    while isinstance(found := run(script, mail, facts), Wanted):
        facts[found.fact] = _answer(found.fact, around)
    return found


def scored(mail: Mail, points: float | None) -> Mail:
    """points: None for what the mail says of itself."""
    found = spam_fields_in(mail.raw) if points is None else score_before(points)
    return with_score(mail, None if found is None else Judged(score=found, policy=DEFAULT_POLICY))


def _answer(fact: Fact, around: Around) -> object:
    match fact:
        case MailboxExists(name):
            return name.upper() == "INBOX" or name in around.mailboxes
        case IncludedScript(name, _):
            return _included(around.folder, name)
        case Metadata():
            return None
        case MailboxIdExists() | SpecialUseExists() | IsDuplicate() | ListExists() | IsListed():
            return False


def _included(folder: Path, name: str) -> Script | Broken | None:
    path = folder / f"{name}.sieve"
    if path.parent != folder or not path.is_file():
        return None  # RFC 6609 §3.2: a name is a name, and no way to another folder
    try:
        return compiled(path)
    except Broken as broken:
        return broken
