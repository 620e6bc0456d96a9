"""The list of metrics keeps to Prometheus' conventions, and to the words of the code that it counts."""

import re
from typing import get_args

import pytest

from mailstack.app.metrics import readings
from mailstack.model import metrics
from mailstack.model.metric import OTHER, Metric, MetricKind
from mailstack.servers.imap.server import NAME as IMAP
from mailstack.servers.jmap.dispatch import METHODS
from mailstack.servers.jmap.event_stream import EventStream
from mailstack.servers.jmap.login import NAME as JMAP
from mailstack.servers.jmap.talker import JmapTalker
from mailstack.servers.managesieve.session import NAME as MANAGESIEVE
from mailstack.servers.smtp.service import SmtpRole, takes_logins
from mailstack.services.identity.login import PASSWORD, SCRAM, TOKEN
from mailstack.services.identity.web_logins import SERVICE as WEB
from mailstack.wire.imap.commands.table import Request
from mailstack.wire.imap.responses import Condition

EVERY = [*metrics.ALL, *readings.ALL]
ROLES = tuple(role.value for role in SmtpRole)
MOST_LINES = 1_500


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
def test_a_name_says_what_its_number_is(metric: Metric) -> None:
    assert re.fullmatch(r"mailstack_[a-z]+(_[a-z]+)*", metric.full_name)
    assert all(re.fullmatch(r"[a-z]+", label) for label in metric.labels)
    assert metric.name.endswith("_total") is (metric.kind is MetricKind.COUNTER)
    assert bool(metric.bounds) is (metric.kind is MetricKind.HISTOGRAM)
    assert [*metric.bounds] == sorted(set(metric.bounds))
    assert metric.help.endswith(".")


def test_every_name_is_there_once() -> None:
    names = [metric.name.removesuffix("_total") for metric in EVERY]  # OpenMetrics knows a counter by what is left
    assert len(names) == len(set(names))


def test_every_metric_of_a_module_is_in_its_list() -> None:
    for module in (metrics, readings):
        assert {value for value in vars(module).values() if isinstance(value, Metric)} == set(module.ALL)


def test_what_is_counted_has_no_open_label() -> None:
    assert [metric.name for metric in metrics.ALL if not all(metric.labels.values())] == []
    assert [metric.name for metric in metrics.ALL for values in metric.labels.values() if OTHER in values] == []


def test_labels_have_the_words_of_the_code() -> None:
    assert set(metrics.SMTP_SERVICES) == {*ROLES}
    assert {*metrics.CONNECTION_SERVICES} == {*ROLES, IMAP, MANAGESIEVE, "http"}
    with_logins = {role.value for role in SmtpRole if takes_logins(role)}
    assert {*metrics.LOGINS.labels["service"]} == {*with_logins, IMAP, MANAGESIEVE, JMAP, WEB}
    assert metrics.LOGINS.labels["proof"] == (PASSWORD, SCRAM, TOKEN)
    assert {*metrics.JMAP_METHODS} == {*METHODS}
    assert {*metrics.IMAP_COMMANDS} < {each.__name__.lower() for each in get_args(Request)}
    assert metrics.IMAP_SECONDS.labels["condition"] == (Condition.OK, Condition.NO, Condition.BAD)
    assert {*metrics.STREAMS_OPEN.labels["kind"]} == {EventStream.kind, JmapTalker.kind}
