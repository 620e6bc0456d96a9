"""Plans as people read them. Each case is a file in tests/data/plan/; MAILSTACK_GOLDEN=write renews them all."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.ids import Generation
from mailstack.model.resource import Json, Operation
from mailstack.reconcile.plan import ByHand, Change, FieldChange, Mark, Plan, PlanWarning
from mailstack.reconcile.render import printable, render

GOLDEN = Path(__file__).parents[1] / "data" / "plan"


def plain(name: str, old: Json = None, new: Json = None) -> FieldChange:
    return FieldChange(name=name, old=old, new=new)


def change(operation: Operation, kind: str, name: str, *fields: FieldChange, reason: str = "") -> Change:
    return Change(operation=operation, kind=kind, name=name, fields=fields, reason=reason)


def a_plan(*changes: Change, warnings: tuple[PlanWarning, ...] = (), by_hand: tuple[ByHand, ...] = ()) -> Plan:
    return Plan(
        spec_path="mailstack.yaml",
        spec_hash="s",
        generation=Generation(1),
        live_hash="l",
        changes=changes,
        warnings=warnings,
        by_hand=by_hand,
    )


SECRET = FieldChange(name="password", mark=Mark.SECRET)
ACCOUNT = change(
    Operation.CREATE,
    "account",
    "alice@example.com",
    plain("name", new="Alice Example"),
    plain("abilities", new=["read", "receive", "submit"]),
    plain("quota_bytes", new=5 << 30),
    SECRET,
)
REMOVED = FieldChange(name="password", mark=Mark.SECRET_REMOVED)
CASES = {
    "empty": a_plan(),
    "create": a_plan(ACCOUNT),
    "update": a_plan(
        change(
            Operation.UPDATE,
            "account",
            "alice@example.com",
            plain("quota_bytes", old=5 << 30, new=None),
            plain("addresses", old=[], new=["a@example.com"]),
            SECRET,
        )
    ),
    "password_removed": a_plan(change(Operation.UPDATE, "account", "alice@example.com", REMOVED)),
    "destroy": a_plan(change(Operation.DESTROY, "account", "bob@example.com"), ACCOUNT),
    "known_after_apply": a_plan(
        change(
            Operation.UPDATE,
            "certificate",
            "mail.example.com",
            FieldChange(name="certificate", old="-----BEGIN CERTIFICATE-----\n" + "A" * 2000, mark=Mark.UNKNOWN),
            FieldChange(name="key", mark=Mark.SECRET),
            reason="renewed: 12 days remain",
        )
    ),
    "records": a_plan(
        change(Operation.CREATE, "dns_record", "example.com MX", plain("values", new=["10 mail.example.com."])),
        change(
            Operation.UPDATE,
            "dns_record",
            "mail.example.com A",
            plain("ttl_s", old=300, new=600),
            plain("values", old=["192.0.2.99"], new=["192.0.2.1"]),
            reason="not as it was applied",
        ),
        change(Operation.CREATE, "dns_record", "s._domainkey.example.com TXT", plain("values", new=["p=" + "A" * 300])),
    ),
    "warnings_and_by_hand": a_plan(
        warnings=(PlanWarning(subject="dns_record example.com MX", text="exists and is not mailstack's; left alone"),),
        by_hand=(
            ByHand(zone="hand.example", records=("hand.example. 3600 IN MX 10 mail.example.com.",)),
            ByHand(zone="", records=("nowhere.example. 3600 IN MX 10 mail.example.com.",)),
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_plan_reads_as_in_its_golden_file(name: str) -> None:
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("MAILSTACK_GOLDEN") == "write":
        golden.write_text(render(CASES[name]), encoding="utf-8")
    assert render(CASES[name]) == golden.read_text(encoding="utf-8")


def test_records_to_publish_by_hand_are_counted_where_nothing_changes_and_shown_when_asked_for() -> None:
    plan = CASES["warnings_and_by_hand"]
    assert "2 records to publish by hand: mailstack plan --records mailstack.yaml\n" in render(plan)
    assert "  hand.example. 3600 IN MX 10 mail.example.com.\n" in render(plan, all_records=True)
    assert "  hand.example. 3600 IN MX 10 mail.example.com.\n" in render(replace(plan, changes=(ACCOUNT,)))


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


def test_colours_change_nothing_but_colours() -> None:
    plan = CASES["records"]
    coloured = render(plan, colour=True)
    assert "\x1b[32m+\x1b[0m" in coloured
    bare = coloured
    for code in ("0", "1", "2", "31", "32", "33"):
        bare = bare.replace(f"\x1b[{code}m", "")
    assert bare == render(plan)


@pytest.mark.parametrize(("text", "shown"), [("plain", "plain"), ("\x1b[2J", "\\x1b[2J"), ("a\u202eb", "a\\u202eb")])
def test_what_comes_from_a_zone_cannot_steer_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
    hostile = change(Operation.UPDATE, "dns_record", "a TXT", plain("values", old=[text], new=["b"]), reason=text)
    assert "\x1b" not in render(a_plan(hostile))
