"""A plan that went through JSON is shown as it would have been without."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from mailstack.model.errors import Unsupported
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant
from mailstack.model.resource import Kind
from mailstack.reconcile.drift import Drift, Unpublished, UserField, drift_document
from mailstack.reconcile.markdown import render_markdown
from mailstack.reconcile.plan import document, sealed
from mailstack.reconcile.plan_json import drift_of, plan_of
from mailstack.reconcile.render import render
from tests.support.plans import CASES


def as_json(name: str) -> Any:
    return orjson.loads(orjson.dumps(document(sealed(CASES[name]))))


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_lost_on_the_way(name: str) -> None:
    plan = plan_of(as_json(name))
    assert document(plan) == document(sealed(CASES[name]))
    assert render(plan, all_records=True) == render(sealed(CASES[name]), all_records=True)
    assert render_markdown(plan) == render_markdown(sealed(CASES[name]))


@pytest.mark.parametrize(
    "change", [{"format": 99}, {"changes": [{}]}, {"stops": None}, {"generation": "x", "changes": 1}]
)
def test_a_plan_of_another_version_is_not_shown_in_part(change: dict[str, object]) -> None:
    with pytest.raises(Unsupported):
        plan_of({**as_json("create"), **change})


def test_drift_goes_the_same_way() -> None:
    drift = Drift(
        generation=Generation(7),
        changes=CASES["update"].changes,
        by_user=(
            UserField(kind=Kind.ACCOUNT, name="a@example.com", field="password", since=Instant(1_790_000_000_000)),
        ),
        by_hand=(
            Unpublished(zone="a.example", name="a.example", type="MX", standing="missing", told="not there (ns1)"),
        ),
        warnings=CASES["warnings_and_by_hand"].warnings,
        is_edited=True,
    )
    assert drift_of(orjson.loads(orjson.dumps(drift_document(drift)))) == drift
    with pytest.raises(Unsupported):
        drift_of({**drift_document(drift), "changes": [{}]})


def test_commands_that_a_plan_shows_name_the_server() -> None:
    plan = replace(CASES["create"], spec_path="my spec.yaml", server="https://mail.example.com")
    assert plan.spec_arguments == "'my spec.yaml' --server https://mail.example.com"
