"""Conditions of own rules as JSON, which is how they are kept: in the words that the spec has for them."""

from collections.abc import Mapping

from mailstack.spam.rules.own import AllOf, AnyOf, Compares, Condition, How, Not, Part, Weighs

Plain = dict[str, object]


def write_condition(condition: Condition) -> Plain:
    match condition:
        case AllOf(conditions):
            return {"all": [*map(write_condition, conditions)]}
        case AnyOf(conditions):
            return {"any": [*map(write_condition, conditions)]}
        case Not(inner):
            return {"not": write_condition(inner)}
        case Weighs():
            bounds = {"over": condition.over, "under": condition.under}
            return {"size": {word: octets for word, octets in bounds.items() if octets is not None}}
        case Compares():
            comparison: Plain = {condition.how.value: [*condition.texts]}
            return {condition.part.value: {condition.field: comparison} if condition.field else comparison}


def read_condition(written: Plain) -> Condition:
    """Raises ValueError."""
    try:
        return _read(written)
    except (TypeError, AttributeError, ValueError, RecursionError) as fault:
        raise ValueError(f"not a condition: {fault!r}") from fault


def _read(value: object) -> Condition:
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a condition has one key")
    ((word, inner),) = value.items()
    match word:
        case "all":
            return AllOf(tuple(map(_read, inner)))
        case "any":
            return AnyOf(tuple(map(_read, inner)))
        case "not":
            return Not(_read(inner))
        case "size":
            return Weighs(over=inner.get("over"), under=inner.get("under"))
        case Part.HEADER.value:
            ((field, comparison),) = inner.items()
            return _comparison(Part.HEADER, comparison, field)
        case _:
            return _comparison(Part(word), inner)


def _comparison(part: Part, value: Mapping[str, list[str]], field: str = "") -> Compares:
    ((how, texts),) = value.items()
    return Compares(part=part, how=How(how), texts=tuple(texts), field=field)
