"""ports.dmarc_evidence on every adapter that reads reports: another one adds a line to READERS."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import pytest

from mailstack.model.instant import DAY_MS, Instant
from mailstack.ports.dmarc_evidence import DmarcEvidence, Evidence, NoReports
from tests.support.memory_reports import MemoryReports, Report

SINCE = Instant(1_790_000_000_000)
REPORT = Report(receiver="receiver.example", report_id="1", domain="example.com", begins=SINCE, messages=100, failing=3)


class Reader(DmarcEvidence, Protocol):
    async def receive(self, report: Report) -> None: ...


READERS: tuple[Callable[[], Reader], ...] = (MemoryReports,)


@pytest.fixture(params=READERS, ids=lambda reader: reader.__name__)
def reader(request: pytest.FixtureRequest) -> Reader:
    found: Reader = request.param()
    return found


async def test_where_nobody_reads_reports_there_is_no_answer() -> None:
    """Which is not the same as an answer that nothing was reported: time and DNS alone decide then."""
    assert await NoReports().reported("example.com", SINCE) is None


async def test_where_reports_are_read_and_none_came_the_answer_is_nothing(reader: Reader) -> None:
    assert await reader.reported("example.com", SINCE) == Evidence(reports=0, messages=0, failing=0)


async def test_reports_of_several_receivers_add_up(reader: Reader) -> None:
    await reader.receive(REPORT)
    await reader.receive(replace(REPORT, receiver="other.example", messages=7, failing=0))
    await reader.receive(replace(REPORT, report_id="2", messages=1, failing=1))
    assert await reader.reported("example.com", SINCE) == Evidence(reports=3, messages=108, failing=4)


async def test_a_report_that_comes_twice_counts_once(reader: Reader) -> None:
    """Receivers send again what they are not sure of, and to each address that the record names."""
    await reader.receive(REPORT)
    await reader.receive(REPORT)
    assert await reader.reported("example.com", SINCE) == Evidence(reports=1, messages=100, failing=3)


async def test_what_was_reported_of_the_time_before_does_not_count(reader: Reader) -> None:
    """The policy was another one then."""
    await reader.receive(replace(REPORT, begins=Instant(SINCE - 1)))
    await reader.receive(replace(REPORT, report_id="2", begins=Instant(SINCE + DAY_MS), messages=5, failing=0))
    assert await reader.reported("example.com", SINCE) == Evidence(reports=1, messages=5, failing=0)


async def test_each_domain_has_its_own_reports(reader: Reader) -> None:
    await reader.receive(REPORT)
    await reader.receive(replace(REPORT, report_id="2", domain="sub.example.com"))
    assert await reader.reported("sub.example.com", SINCE) == Evidence(reports=1, messages=100, failing=3)
    assert await reader.reported("example", SINCE) == Evidence(reports=0, messages=0, failing=0)


async def test_a_report_of_no_mail_is_a_report(reader: Reader) -> None:
    await reader.receive(replace(REPORT, messages=0, failing=0))
    assert await reader.reported("example.com", SINCE) == Evidence(reports=1, messages=0, failing=0)
