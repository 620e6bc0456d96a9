"""Rules of an account, written as Sieve that people can read: what runs, and what `mailstack sieve show` prints.

RFC 5228, and of its extensions only those that the rules need.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from mailstack.formats.sieve_string import quoted
from mailstack.model.spam import SPAM_TENTHS
from mailstack.spec.sections.rules import Actions, AddressMatch, Condition, Match, Rule, ScoreMatch, SizeMatch

HEADING = "# Made of the rules in the spec, which is where to change them."
INDENT = "    "
MAX_RULES = 500
MAX_OCTETS = 64 << 10
_SIZES = ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"))


def check_rules(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    # RFC 5429 §2.1: what is refused is neither kept nor filed nor sent on; a run that does both comes to nothing.
    placing: Rule | None = None
    for rule in rules:
        if placing is not None and "reject" in rule.words:
            raise ValueError(
                f"the rule '{rule.name}' refuses mail that '{placing.name}' may have put somewhere by then"
                f" (put it before, or add stop to '{placing.name}')"
            )
        if not rule.is_last and not rule.words.isdisjoint({"file_into", "redirect", "keep"}):
            placing = rule
    if len(sieve_of(rules).encode()) > MAX_OCTETS:
        raise ValueError(f"the rules are over {MAX_OCTETS >> 10} KiB as Sieve")
    return rules


Rules = Annotated[tuple[Rule, ...], Field(max_length=MAX_RULES), AfterValidator(check_rules)]
"""Of one account, in their order."""


def sieve_of(rules: Sequence[Rule]) -> str:
    """Ends with a line end. Lines, those within texts too, end in LF."""
    script = _Script()
    blocks = [script.rule(rule) for rule in rules]
    needed = ", ".join(map(quoted, sorted(script.needed)))
    require = [f"require [{needed}];"] if needed else []
    return "\n".join([HEADING, *require, *("\n".join(["", *block]) for block in blocks), ""])


class _Script:
    """needed: extensions."""

    def __init__(self) -> None:
        self.needed: set[str] = set()

    def rule(self, rule: Rule) -> Iterator[str]:
        # Written out before anybody asks what is needed.
        actions = list(self._actions(rule))
        lines = [f"# rule: {rule.name}"]
        if rule.if_ is None:
            return iter([*lines, *actions])
        test = list(self._test(rule.if_))
        opening = [f"if {test[0]}", *test[1:]]
        return iter([*lines, *opening[:-1], f"{opening[-1]} {{", *(INDENT + line for line in actions), "}"])

    def _test(self, condition: Condition) -> Iterator[str]:
        """The lines of one test."""
        yield from _joined("allof", [list(test) for test in self._tests(condition)])

    def _tests(self, condition: Condition) -> Iterator[Iterator[str]]:
        if condition.from_ is not None:
            yield self._address('"from"', condition.from_)
        if condition.to is not None:
            yield self._address('["to", "cc"]', condition.to)
        if condition.subject is not None:
            yield iter([f"header {self._match(condition.subject, quoted('subject'))}"])
        for name, match in (condition.header or {}).items():
            yield iter([f"header {self._match(match, quoted(name))}"])
        if condition.list_ is not None:
            yield iter([f"header {self._list(condition.list_)}"])
        if condition.body is not None:
            self.needed.add("body")
            yield iter([f"body :text {self._match(condition.body)}"])
        if condition.size is not None:
            yield from (iter([line]) for line in _sizes(condition.size))
        if condition.spam is not None:
            self.needed |= {"environment", "relational", "comparator-i;ascii-numeric"}
            yield from (iter([line]) for line in _scores(condition.spam))
        if condition.not_ is not None:
            inner = list(self._test(condition.not_))
            yield iter([f"not {inner[0]}", *inner[1:]])
        if condition.any_ is not None:
            yield _joined("anyof", [list(self._test(each)) for each in condition.any_])
        if condition.all_ is not None:
            yield _joined("allof", [list(self._test(each)) for each in condition.all_])

    def _address(self, fields: str, match: AddressMatch) -> Iterator[str]:
        if match.domain is not None:
            yield f"address :domain :is {fields} {_strings(match.domain)}"
        else:
            yield f"address {self._match(match, fields)}"

    def _match(self, match: Match, fields: str = "") -> str:
        word, texts = _comparison(match)
        if word == "regex":
            self.needed.add("regex")
        return " ".join(part for part in (f":{word}", fields, _strings(texts)) if part)

    def _list(self, match: Match) -> str:
        """RFC 2919 §3: List-Id = "List-ID:" [phrase] "<" list-id ">"; the phrase is for people."""
        word, texts = _comparison(match)
        if word == "is":
            word, texts = "contains", tuple(f"<{text}>" for text in texts)
        elif word == "matches":
            texts = tuple(f"*<{text}>*" for text in texts)
        elif word == "regex":
            self.needed.add("regex")
        return f':{word} "list-id" {_strings(texts)}'

    def _actions(self, rule: Rule) -> Iterator[str]:
        """Flags first: they are for where the mail goes next."""
        flags = tuple(dict.fromkeys(flag for actions in rule.then for flag in _flags(actions)))
        if flags:
            self.needed.add("imap4flags")
            yield f"addflag {_strings(flags)};"
        for actions in rule.then:
            yield from self._action(actions)
        if rule.is_last:
            yield "stop;"

    def _action(self, actions: Actions) -> Iterator[str]:
        copy = " :copy" if actions.copy_ else ""
        if copy:
            self.needed.add("copy")
        if actions.file_into is not None:
            # RFC 5490 §3.2: without :create, a mailbox that is not there is a matter of the server's.
            self.needed |= {"fileinto", "mailbox"}
            yield f"fileinto{copy} :create {quoted(actions.file_into)};"
        for address in actions.redirect or ():
            yield f"redirect{copy} {quoted(address)};"
        if actions.keep:
            yield "keep;"
        if actions.discard:
            yield "discard;"
        if actions.reject is not None:
            self.needed.add("reject")
            yield f"reject {quoted(actions.reject)};"


def _joined(word: str, tests: Sequence[Sequence[str]]) -> Iterator[str]:
    if len(tests) == 1:
        yield from tests[0]
        return
    yield f"{word} ("
    for place, test in enumerate(tests, start=1):
        *before, last = (INDENT + line for line in test)
        yield from before
        yield last if place == len(tests) else f"{last},"
    yield ")"


def _comparison(match: Match) -> tuple[str, Sequence[str]]:
    for word, texts in (("contains", match.contains), ("is", match.is_), ("matches", match.matches)):
        if texts is not None:
            return word, texts
    return "regex", match.regex or ()


def _strings(texts: Sequence[str]) -> str:
    found = ", ".join(map(quoted, texts))
    return found if len(texts) == 1 else f"[{found}]"


def _sizes(size: SizeMatch) -> Iterator[str]:
    for word, octets in (("over", size.over), ("under", size.under)):
        if octets is not None:
            yield f"size :{word} {_number(octets)}"


def _scores(score: ScoreMatch) -> Iterator[str]:
    for word, points in (("ge", score.at_least), ("lt", score.under)):
        if points is not None:
            item = f"{quoted(SPAM_TENTHS)} {quoted(str(round(points * 10)))}"
            yield f'environment :value "{word}" :comparator "i;ascii-numeric" {item}'


def _number(octets: int) -> str:
    for unit, name in _SIZES:
        if octets and octets % unit == 0:
            return f"{octets // unit}{name}"
    return str(octets)


def _flags(actions: Actions) -> Iterator[str]:
    yield from actions.flag or ()
    if actions.mark_read:
        yield "\\Seen"
