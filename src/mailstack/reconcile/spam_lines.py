"""What a plan shows of own rules and thresholds of spam: in the words that the spec has for them. Pure."""

from collections.abc import Iterator

from mailstack.model.resource import Json, Kind, Operation
from mailstack.reconcile.plan import Change, FieldChange
from mailstack.spec.insertion import flow

NEVER = "never"
"""What null says of a threshold."""
_NONE = "(none)"


def is_of_rules(change: Change, item: FieldChange) -> bool:
    return change.kind == Kind.SPAM and item.name == "rules"


def rule_lines(item: FieldChange, operation: Operation) -> Iterator[str]:
    """Those that come, change and go."""
    old, new = _by_name(item.old), _by_name(item.new)
    if operation is not Operation.CREATE and list(old) != list(new):
        yield f"rules = {', '.join(old) or _NONE} -> {', '.join(new) or _NONE}"
    for name, rule in new.items():
        if name not in old:
            yield f"rule {name} = {rule}"
        elif old[name] != rule:
            yield f"rule {name} = {old[name]} -> {rule}"


def policy_words(policy: dict[str, Json]) -> str:
    """Of the server, a domain or an account."""
    if not policy.get("is_scored", True):
        return "off"
    thresholds = {name: NEVER if policy.get(name) is None else policy[name] for name in ("junk_at", "reject_at")}
    senders = {name: policy[name] for name in ("allow", "block") if policy.get(name)}
    return flow({**thresholds, **senders})


def _by_name(rules: Json) -> dict[str, str]:
    found = {}
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, dict):
            found[str(rule.get("name"))] = flow({"if": rule.get("condition"), "points": rule.get("points")})
    return found
