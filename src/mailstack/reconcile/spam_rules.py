"""Own rules of the spec, as they are kept."""

from collections.abc import Iterator

from mailstack.model.resource import OwnRuleBody
from mailstack.spam.rules.own import AllOf, AnyOf, Compares, Condition, How, Not, Part, Weighs
from mailstack.spam.rules.own_text import write_condition
from mailstack.spec.sections.rules import Match, said
from mailstack.spec.sections.spam_rules import SpamCondition, SpamRule


def rule_body(rule: SpamRule) -> OwnRuleBody:
    return OwnRuleBody(name=rule.name, points=rule.points, condition=write_condition(_condition(rule.if_)))


def _condition(given: SpamCondition) -> Condition:
    found = tuple(_conditions(given))
    return found[0] if len(found) == 1 else AllOf(found)


def _conditions(given: SpamCondition) -> Iterator[Condition]:
    for part in Part:
        match = None if part is Part.HEADER else getattr(given, _NAMES.get(part, part.value))
        if match is not None:
            yield _compares(part, match)
    for name, match in (given.header or {}).items():
        yield _compares(Part.HEADER, match, name)
    if given.size is not None:
        yield Weighs(over=given.size.over, under=given.size.under)
    if given.any_ is not None:
        yield AnyOf(tuple(map(_condition, given.any_)))
    if given.all_ is not None:
        yield AllOf(tuple(map(_condition, given.all_)))
    if given.not_ is not None:
        yield Not(_condition(given.not_))


_NAMES = {Part.FROM: "from_", Part.LIST: "list_"}


def _compares(part: Part, match: Match, field: str = "") -> Compares:
    (word,) = said(match)
    return Compares(part=part, how=How(word.rstrip("_")), texts=getattr(match, word), field=field)
