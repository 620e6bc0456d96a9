"""Plans as people read them. Each case is a file in tests/data/plan/; MAILSTACK_GOLDEN=write renews them all."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.model.resource import Operation
from mailstack.reconcile.render import printable, render
from tests.support.plans import ACCOUNT, CASES, a_plan, change, plain

GOLDEN = Path(__file__).parents[1] / "data" / "plan"


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
