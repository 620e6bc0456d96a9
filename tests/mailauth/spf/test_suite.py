"""The openspf project's suite for RFC 7208: every case of it, none left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from mailstack.mailauth.spf.check import check
from mailstack.model.instant import Instant
from mailstack.model.verdict import SpfResult
from tests.support.suites import suite_path
from tests.support.zone_resolver import ZoneResolver

SUITE = suite_path("spf", "rfc7208-tests.yml")
CASES = 203


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    given: Mapping[str, Any]
    zones: Mapping[str, Sequence[Any]]


def cases() -> Iterator[Case]:
    for scenario in yaml.load_all(SUITE.read_text(), Loader=yaml.CSafeLoader):
        for name, given in scenario["tests"].items():
            yield Case(name=f"{scenario['description']}: {name}", given=given, zones=scenario["zonedata"])


ALL = tuple(cases())


def test_no_case_is_left_out() -> None:
    assert len(ALL) == CASES


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
async def test_case(case: Case) -> None:
    given = case.given
    verdict = await check(
        ZoneResolver(case.zones),
        peer=given["host"],
        helo=given["helo"],
        mail_from=given["mailfrom"],
        receiver="receiver.example",
        now=Instant(1_700_000_000_000),
    )
    wanted = given["result"] if isinstance(given["result"], list) else [given["result"]]
    assert verdict.result in [SpfResult(word) for word in wanted], verdict
    if "explanation" in given:
        assert verdict.explanation == ("" if given["explanation"] == "DEFAULT" else given["explanation"])
