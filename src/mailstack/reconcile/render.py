"""A plan as text, in the manner that people know from Terraform. Pure; colour is for whoever has a terminal."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import chain

from mailstack.model.instant import iso
from mailstack.model.resource import Json, Operation
from mailstack.reconcile.brake import going_on, reasons_of
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY, ByHand, Change, FieldChange, Mark, Plan
from mailstack.reconcile.script_lines import origin_of, script_lines
from mailstack.reconcile.spam_lines import is_of_rules, policy_words, rule_lines

SYMBOLS = {Operation.CREATE: "+", Operation.UPDATE: "~", Operation.MOVE: ">", Operation.DESTROY: "-"}
SECRET = "(secret)"
SECRET_CHANGED = "(secret, changed)"
SECRET_REMOVED = "(secret, removed)"
NOTHING = "(none)"
LONGEST_VALUE = 100
LONGEST_RULE = 2_000
AFTER_SHOWN = 3

_RED, _GREEN, _YELLOW, _CYAN, _BOLD, _DIM = "31", "32", "33", "36", "1", "2"
_COLOURS = {
    Operation.CREATE: _GREEN,
    Operation.UPDATE: _YELLOW,
    Operation.MOVE: _CYAN,
    Operation.DESTROY: _RED,
}
_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode
_POLICIES = frozenset({"policy", "spam"})
"""Of the server, and of a domain or an account."""
_SIZE_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def render(plan: Plan, *, colour: bool = False, all_records: bool = False) -> str:
    """Ends with a line end. all_records: show those to publish by hand even where nothing changes."""
    records = _by_hand(plan.by_hand, colour) if all_records or not plan.is_empty else _records_in_short(plan)
    return "\n".join(
        chain(_changes(plan, colour), _warnings(plan, colour), records, _end(plan, colour), _stops(plan, colour))
    )


def render_by_hand(by_hand: Sequence[ByHand], *, colour: bool = False) -> str:
    return "\n".join(_by_hand(by_hand, colour))


def summary(plan: Plan) -> str:
    moves = plan.count(Operation.MOVE)
    parts = [
        f"{plan.count(Operation.CREATE)} to create",
        f"{plan.count(Operation.UPDATE)} to change",
        *([f"{moves} to move"] if moves else []),
        f"{plan.count(Operation.DESTROY)} to destroy",
    ]
    return f"Plan: {', '.join(parts)}."


def _changes(plan: Plan, colour: bool) -> Iterator[str]:
    if plan.is_empty:
        return
    yield "mailstack will do the following:"
    yield ""
    yield from _blocks(plan.changes, colour)


def render_changes(changes: Sequence[Change], *, colour: bool = False) -> str:
    """Without a plan around them."""
    return "\n".join(_blocks(changes, colour))


def _blocks(changes: Sequence[Change], colour: bool) -> Iterator[str]:
    for change in changes:
        yield from _change(change, colour)
        yield ""


def _change(change: Change, colour: bool) -> Iterator[str]:
    symbol = _painted(SYMBOLS[change.operation], _COLOURS[change.operation], colour)
    yield f"  {symbol} {_painted(title(change), _BOLD, colour)}{_painted(remark(change), _DIM, colour)}"
    yield from (f"      {line}" for line in field_lines(change))


def title(change: Change) -> str:
    """What it is, and where it came from."""
    moved = f"{printable(change.moved_from)} -> " if change.moved_from else ""
    return f"{change.kind} {moved}{printable(change.name)}{printable(origin_of(change))}"


def remark(change: Change) -> str:
    """Why, and after what, as a comment behind the title; "" where there is nothing to say."""
    shown = ", ".join(change.after[:AFTER_SHOWN])
    more = f" and {len(change.after) - AFTER_SHOWN} more" if len(change.after) > AFTER_SHOWN else ""
    told = "; ".join(text for text in (change.reason, f"after {shown}{more}" if shown else "") if text)
    return f"  # {printable(told)}" if told else ""


def field_lines(change: Change) -> Iterator[str]:
    """`name = value` or `name = old -> new`, in columns; nothing secret in it. Of scripts, their lines."""
    scripts = script_lines(change)
    if scripts is not None:
        yield from map(printable, scripts)
        return
    width = max((len(item.name) for item in change.fields), default=0)
    for item in change.fields:
        if is_of_rules(change, item):
            yield from (_cut(printable(line), LONGEST_RULE) for line in rule_lines(item, change.operation))
            continue
        since = item.by_user_since
        owner = "" if since is None else f"  # instead of the user's own, of {iso(since)}"
        yield f"{item.name:<{width}} = {_field(item, change.operation)}{owner}"


def _field(item: FieldChange, operation: Operation) -> str:
    if item.mark is Mark.SECRET_REMOVED:
        return SECRET_REMOVED
    if item.mark is Mark.SECRET:
        return SECRET if operation is Operation.CREATE else SECRET_CHANGED
    new = KNOWN_AFTER_APPLY if item.mark is Mark.UNKNOWN else _value(item.name, item.new)
    return new if operation is Operation.CREATE else f"{_value(item.name, item.old)} -> {new}"


def _value(name: str, value: Json) -> str:
    if value is None:
        return NOTHING
    if name == "workers" and value == 0:
        return "auto"  # as the spec says it
    if name.endswith("_bytes") and isinstance(value, int):
        return _size(value)
    if name in _POLICIES and isinstance(value, dict):
        return _cut(printable(policy_words(value)), LONGEST_RULE)
    text = printable(_AS_JSON(value))
    if len(text) > LONGEST_VALUE and isinstance(value, list) and len(value) > 1:
        return f"[{', '.join(_value(name, item) for item in value)}]"
    return _cut(text, LONGEST_VALUE)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    # What is cut off is told by its hash: two certificates or keys can still be told apart.
    mark = hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
    return f"{text[: longest - 30]}…  # {len(text)} characters, sha256 {mark}"


def _size(size_bytes: int) -> str:
    for unit_bytes, unit in _SIZE_UNITS:
        if size_bytes and size_bytes % unit_bytes == 0:
            return f"{size_bytes // unit_bytes}{unit}"
    return f"{size_bytes}B"


def _warnings(plan: Plan, colour: bool) -> Iterator[str]:
    for warning in plan.warnings:
        yield f"{_painted('Warning:', _YELLOW, colour)} {printable(warning.subject)}: {printable(warning.text)}"
    if plan.warnings:
        yield ""


def _records_in_short(plan: Plan) -> Iterator[str]:
    count = sum(len(item.records) for item in plan.by_hand)
    if count:
        noun = "record" if count == 1 else "records"
        yield f"{count} {noun} to publish by hand: mailstack plan --records {plan.spec_arguments}"
        yield ""


def _by_hand(by_hand: Sequence[ByHand], colour: bool) -> Iterator[str]:
    for item in by_hand:
        where = f"in zone {item.zone}" if item.zone else "in no zone of the spec"
        why = f" ({item.reason})" if item.reason else ""
        yield _painted(f"To publish by hand, {where}{why}:", _BOLD, colour)
        yield from (f"  {printable(line)}" for line in item.records)
        yield ""


def _end(plan: Plan, colour: bool) -> Iterator[str]:
    if plan.is_empty:
        yield _painted("No changes. The server is what the spec says.", _GREEN, colour)
    else:
        yield _painted(summary(plan), _BOLD, colour)
    yield ""


def _stops(plan: Plan, colour: bool) -> Iterator[str]:
    """What a person must say before anything is done; the last thing read before apply is typed."""
    if not plan.stops:
        return
    for reason in reasons_of(plan.stops):
        yield f"{_painted('Apply stops:', _RED, colour)} {printable(reason)}."
    yield f"If that is meant: {printable(going_on(plan.stops, plan.spec_arguments))}"
    yield ""


def _painted(text: str, style: str, colour: bool) -> str:
    if not text:
        return text
    # By hand, not by rich: a plan of ten thousand accounts is a hundred thousand lines.
    return f"\x1b[{style}m{text}\x1b[0m" if colour else text


def printable(text: str) -> str:
    """Live records and names come from outside: whatever could steer a terminal is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
