"""Rules that a spec adds: conditions in the words of an account's rules, and points."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailstack.formats.addresses import address_text, parse_mailboxes
from mailstack.formats.expressions import Expression, compiled, quoted
from mailstack.formats.words import decode_words
from mailstack.model.spam import Finding
from mailstack.spam.correspondent import speaks_for
from mailstack.spam.rules.evidence import Evidence


class Part(StrEnum):
    """What is compared. FROM, TO: the addresses in From; in To and Cc. HEADER: fields of the name that the comparison
    has. LIST: List-Id without brackets. BODY: text as it is shown. LINK: hosts. ATTACHMENT: names of files. SENDER: the
    return path, "" of a bounce."""

    FROM = "from"
    TO = "to"
    SUBJECT = "subject"
    HEADER = "header"
    LIST = "list"
    BODY = "body"
    LINK = "link"
    ATTACHMENT = "attachment"
    SENDER = "sender"


class How(StrEnum):
    """DOMAIN: behind the @ is this; of a link, its host is this or below it."""

    CONTAINS = "contains"
    IS = "is"
    MATCHES = "matches"
    REGEX = "regex"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compares:
    """Whether one of the values of a part compares with one of these texts, whatever their case. field: of HEADER."""

    part: Part
    how: How
    texts: tuple[str, ...]
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighs:
    """Octets of the whole mail: more than over, less than under; None for no bound."""

    over: int | None = None
    under: int | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


Condition = Compares | Weighs | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRule:
    name: str
    points: float
    condition: Condition


_Holds = Callable[[Evidence], bool]
_Fits = Callable[[str], bool]


class OwnRules:
    """Ready to be asked."""

    def __init__(self, rules: Sequence[OwnRule]) -> None:
        """Raises NoExpression."""
        self._rules = tuple([(rule, _test(rule.condition)) for rule in rules])

    def findings(self, mail: Evidence) -> tuple[Finding, ...]:
        return tuple(
            [
                Finding(rule=rule.name, points=rule.points, why="a rule of this server")
                for rule, holds in self._rules
                if holds(mail)
            ]
        )


NO_RULES = OwnRules(())


def _test(condition: Condition) -> _Holds:
    match condition:
        case Not(inner):
            holds = _test(inner)
            return lambda mail: not holds(mail)
        case AllOf(conditions):
            tests = [_test(one) for one in conditions]
            return lambda mail: all(holds(mail) for holds in tests)
        case AnyOf(conditions):
            tests = [_test(one) for one in conditions]
            return lambda mail: any(holds(mail) for holds in tests)
        case Weighs(over=over, under=under):
            return lambda mail: (over is None or len(mail.raw) > over) and (under is None or len(mail.raw) < under)
        case Compares():
            fits = _fits(condition)
            return lambda mail: any(map(fits, _values(condition, mail)))


def _values(condition: Compares, mail: Evidence) -> Sequence[str]:
    match condition.part:
        case Part.FROM:
            return _addresses(mail, b"from")
        case Part.TO:
            return (*_addresses(mail, b"to"), *_addresses(mail, b"cc"))
        case Part.SUBJECT:
            return _texts(mail, b"subject")
        case Part.HEADER:
            return _texts(mail, condition.field.lower().encode())
        case Part.LIST:
            return [text.rpartition("<")[2].removesuffix(">") for text in _texts(mail, b"list-id")]
        case Part.BODY:
            return mail.seen.texts
        case Part.LINK:
            return mail.hosts
        case Part.ATTACHMENT:
            return [file.name for file in mail.files if file.name]
        case Part.SENDER:
            return [mail.reverse_path]


def _addresses(mail: Evidence, field: bytes) -> Sequence[str]:
    return [address_text(mailbox) for value in mail.every(field) for mailbox in parse_mailboxes(value)]


def _texts(mail: Evidence, field: bytes) -> Sequence[str]:
    return [decode_words(value) for value in mail.every(field)]


def _fits(condition: Compares) -> _Fits:
    texts = tuple([text.casefold() for text in condition.texts])
    match condition.how:
        case How.CONTAINS:
            return lambda value: _has_any(value.casefold(), texts)
        case How.IS:
            known = frozenset(texts)
            return lambda value: value.casefold() in known
        case How.DOMAIN:
            if condition.part is Part.LINK:
                return lambda value: any(speaks_for(domain, value) for domain in texts)
            return lambda value: value.rpartition("@")[2].casefold() in texts
        case How.MATCHES:
            return _finds([compiled(_of_pattern(text), is_case_blind=True) for text in condition.texts])
        case How.REGEX:
            return _finds([compiled(text, is_case_blind=True) for text in condition.texts])


def _has_any(value: str, texts: Sequence[str]) -> bool:
    return any(text in value for text in texts)


def _finds(expressions: Sequence[Expression]) -> _Fits:
    return lambda value: any(expression.search(value) is not None for expression in expressions)


def _of_pattern(pattern: str) -> str:
    """As RFC 5228 §2.7.1 has :matches: * is any characters, ? one, and a backslash takes both their meaning."""
    pieces: list[str] = []
    characters = iter(pattern)
    for one in characters:
        if one == "*":
            pieces.append(".*")
        elif one == "?":
            pieces.append(".")
        else:
            pieces.append(quoted(next(characters, one) if one == "\\" else one))
    return rf"\A{''.join(pieces)}\z"
