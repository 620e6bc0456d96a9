"""The plan as a value: its hash, its JSON form and the schema of that."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mailstack.model.ids import Generation
from mailstack.model.resource import Kind, Operation
from mailstack.reconcile.plan import (
    BrakeName,
    Change,
    FieldChange,
    Mark,
    Plan,
    PlanDocument,
    PlanWarning,
    Stop,
    document,
    in_order,
    plan_schema,
    sealed,
)

SCHEMA = Path(__file__).parents[2] / "schemas" / "plan.schema.json"
CHANGE = Change(operation=Operation.CREATE, kind="account", name="a", fields=(FieldChange(name="n", new=1),))
PLAN = sealed(
    Plan(spec_path="a/mailstack.yaml", spec_hash="s", generation=Generation(3), live_hash="l", changes=(CHANGE,))
)


def test_the_schema_file_is_current() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == plan_schema()


def test_the_json_form_has_the_types_that_the_schema_says() -> None:
    found = document(PLAN)
    assert TypeAdapter(PlanDocument).validate_python(found) == found
    assert found["summary"] == {"create": 1, "update": 0, "move": 0, "destroy": 0}
    assert json.loads(json.dumps(found))["changes"][0]["fields"] == [
        {"name": "n", "old": None, "new": 1, "mark": "plain", "owner": "spec", "since": None, "digest": None}
    ]


def test_the_hash_does_not_depend_on_where_the_spec_lies() -> None:
    assert sealed(replace(PLAN, spec_path="b/mailstack.yaml")).plan_hash == PLAN.plan_hash


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, changes=()),
        replace(PLAN, changes=(replace(CHANGE, fields=(FieldChange(name="n", new=2),)),)),
        replace(PLAN, changes=(replace(CHANGE, fields=(FieldChange(name="n", mark=Mark.SECRET),)),)),
        replace(PLAN, spec_hash="other"),
        replace(PLAN, live_hash="other"),
        replace(PLAN, generation=Generation(4)),
    ],
)
def test_the_hash_depends_on_all_that_would_be_done(other: Plan) -> None:
    assert sealed(other).plan_hash != PLAN.plan_hash


def test_digests_of_secrets_are_not_in_the_hash_for_they_are_compared_by_name() -> None:
    secrets = [(FieldChange(name="n", mark=Mark.SECRET, digest=digest),) for digest in ("", "one", "two")]
    plans = [sealed(replace(PLAN, changes=(replace(CHANGE, fields=fields),))) for fields in secrets]
    assert len({plan.plan_hash for plan in plans}) == 1
    assert document(plans[1])["changes"][0]["fields"][0]["digest"] == "one"


def test_warnings_are_not_in_the_hash_for_they_change_by_themselves() -> None:
    warned = replace(PLAN, warnings=(PlanWarning(subject="dns", text="not everywhere yet"),))
    assert sealed(warned).plan_hash == PLAN.plan_hash


def test_the_hash_does_not_depend_on_what_is_released() -> None:
    stop = Stop(brake=BrakeName.MAIL, subject="a", text="t", release="--allow-destroy a")
    assert sealed(replace(PLAN, stops=(stop,))).plan_hash == PLAN.plan_hash


def test_changes_are_shown_as_kinds_depend_on_each_other_and_dns_last() -> None:
    kinds = ["dns_record", "alias", "account", "server", "domain"]
    shown = in_order([replace(CHANGE, kind=kind) for kind in kinds])
    assert [change.kind for change in shown] == ["server", "domain", "account", "alias", "dns_record"]


def test_destroyed_names_one_kind() -> None:
    gone = replace(CHANGE, operation=Operation.DESTROY)
    assert replace(PLAN, changes=(gone, replace(gone, kind="domain", name="d"))).destroyed(Kind.ACCOUNT) == ("a",)


def test_a_plan_shows_itself_in_a_line_however_much_it_changes() -> None:
    assert repr(replace(PLAN, changes=(CHANGE,) * 1_000)) == repr(PLAN)
