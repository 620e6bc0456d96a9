"""docs/metrics.md and the alert rules name what is there."""

import re
from pathlib import Path

import pytest
import yaml

from mailstack.app.metrics import readings
from mailstack.model import metrics
from mailstack.model.metric import PREFIX, Metric, MetricKind
from tests.support.metrics_page import PAGE, metrics_page

RULES = Path(__file__).parents[1] / "docs" / "examples" / "alerts.yaml"
BY_NAME = {metric.full_name: metric for metric in (*metrics.ALL, *readings.ALL)}
SELECTOR = re.compile(rf"({PREFIX}\w+)(?:{{([^}}]*)}})?")
MATCHER = re.compile(r'(\w+)(?:=|!=|=~|!~)"([^"]*)"')


def test_the_page_is_as_the_lists_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), "run `make docs`"


def rules() -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_there_is(rule: dict[str, str]) -> None:
    found = SELECTOR.findall(rule["expr"])
    assert found
    for name, matchers in found:
        metric = metric_of(name)
        for label, values in MATCHER.findall(matchers):
            listed = metric.labels[label]
            assert not listed or set(values.split("|")) <= set(listed), (name, label)
    by = re.findall(r"by \(([^)]*)\)", rule["expr"])
    labels = {label for name, _ in found for label in metric_of(name).labels} | {"le", "instance"}
    assert {label.strip() for text in by for label in text.split(",")} <= labels


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_what_to_do(rule: dict[str, object]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert isinstance(rule["annotations"], dict)
    assert set(rule["annotations"]) == {"summary", "description"}
    assert str(rule["expr"]).count("(") == str(rule["expr"]).count(")")


def metric_of(name: str) -> Metric:
    if name in BY_NAME:
        return BY_NAME[name]
    metric = BY_NAME[re.sub(r"_(bucket|sum|count)$", "", name)]
    assert metric.kind is MetricKind.HISTOGRAM
    return metric
