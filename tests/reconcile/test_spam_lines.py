"""What a plan shows of spam; whole plans are in tests/data/plans (spam_…)."""

import pytest

from mailstack.model.resource import Json, Kind, Operation, OwnRuleBody, SpamBody, SpamPolicyBody, fields_of
from mailstack.reconcile.plan import Change, FieldChange
from mailstack.reconcile.render import LONGEST_RULE, field_lines


def shown(field: str, old: Json, new: Json, kind: Kind = Kind.SPAM) -> list[str]:
    changed = FieldChange(name=field, old=old, new=new)
    change = Change(operation=Operation.UPDATE, kind=kind.value, name="spam", fields=(changed,))
    return list(field_lines(change))


def rule(name: str, *texts: str) -> Json:
    return {"name": name, "points": 2.5, "condition": {"subject": {"contains": [*texts]}}}


def test_rules_that_come_change_and_go_are_told_and_no_other() -> None:
    assert shown("rules", [rule("a", "x"), rule("b", "x"), rule("c", "x")], [rule("b", "x"), rule("c", "y")]) == [
        "rules = a, b, c -> b, c",
        "rule c = {if: {subject: {contains: [x]}}, points: 2.5} -> {if: {subject: {contains: [y]}}, points: 2.5}",
    ]
    assert shown("rules", [rule("a", "x")], []) == ["rules = a -> (none)"]
    assert shown("rules", [rule("a", "x"), rule("b", "x")], [rule("b", "x"), rule("a", "x")]) == [
        "rules = a, b -> b, a"
    ]


def test_a_very_long_rule_is_cut_and_no_rule_steers_a_terminal() -> None:
    (_, line) = shown("rules", [], [rule("a", *map(str, range(1_000)))])
    assert len(line) < LONGEST_RULE + 60
    assert "…  # " in line
    assert "\x1b" not in "".join(shown("rules", [], [rule("a", "\x1b[2J")]))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (SpamPolicyBody(), "{junk_at: 5, reject_at: 15}"),
        (SpamPolicyBody(junk_at=None, allow=("a@b.example",)), "{junk_at: never, reject_at: 15, allow: [a@b.example]}"),
        (SpamPolicyBody(is_scored=False), "off"),
    ],
)
def test_thresholds_are_told_as_the_spec_has_them(body: SpamPolicyBody, words: str) -> None:
    policy = fields_of(SpamBody(policy=body))["policy"]
    assert shown("policy", policy, policy) == [f"policy = {words} -> {words}"]
    assert shown("spam", None, policy, Kind.ACCOUNT) == [f"spam = (none) -> {words}"]


def test_programs_are_told_never_by_null_and_conditions_as_json() -> None:
    condition: dict[str, object] = {"subject": {"is": ["x"]}}
    body = SpamBody(
        policy=SpamPolicyBody(reject_at=None), rules=(OwnRuleBody(name="a", points=1.0, condition=condition),)
    )
    fields = fields_of(body)
    assert fields["policy"] == {"is_scored": True, "junk_at": 5.0, "reject_at": None, "allow": [], "block": []}
    assert fields["rules"] == [{"name": "a", "points": 1.0, "condition": condition}]
