"""A plan that went through JSON is shown as it would have been without."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from mailstack.model.errors import Unsupported
from mailstack.reconcile.markdown import render_markdown
from mailstack.reconcile.plan import document, sealed
from mailstack.reconcile.plan_json import plan_of
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


def test_commands_that_a_plan_shows_name_the_server() -> None:
    plan = replace(CASES["create"], spec_path="my spec.yaml", server="https://mail.example.com")
    assert plan.spec_arguments == "'my spec.yaml' --server https://mail.example.com"
