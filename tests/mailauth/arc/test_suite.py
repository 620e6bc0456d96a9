"""ValiMail's ARC suite, all of its cases; and chains of real mail."""

from dataclasses import dataclass
from functools import cache

import pytest
import yaml

from mailstack.mailauth.arc.verify import verify
from mailstack.model.instant import Instant
from mailstack.model.verdict import ArcResult
from tests.support.memory_resolver import MemoryResolver
from tests.support.signed_messages import read_signed
from tests.support.suites import suite_path

NOW = Instant(1_700_000_000_000)
CASES = 171
# "" stands in the suite for chains that were sealed as broken. RFC 8617 §5.2 step 2: those fail.
RESULTS = {"None": ArcResult.NONE, "Pass": ArcResult.PASS, "Fail": ArcResult.FAIL, "": ArcResult.FAIL}


# "None" is a test without a chain.
@dataclass(frozen=True)
class Case:
    name: str
    message: bytes
    records: dict[str, list[str]]
    expected: ArcResult


@cache
def cases() -> tuple[Case, ...]:
    text = suite_path("arc", "arc-draft-validation-tests.yml").read_text()
    return tuple(
        Case(
            name,
            test["message"].replace("\n", "\r\n").encode(),
            {domain: [record] for domain, record in part["txt-records"].items()},
            RESULTS[test["cv"] or ("" if test["cv"] == "" else "None")],
        )
        for part in yaml.safe_load_all(text)
        for name, test in part["tests"].items()
    )


async def test_all_cases_of_the_suite_come_out_as_they_should() -> None:
    wrong = []
    for case in cases():
        verdict = await verify(MemoryResolver(txt=case.records), case.message, now=NOW, trusted=())
        if verdict.result is not case.expected:
            wrong.append((case.name, case.expected.value, verdict.result.value, verdict.reason))
    assert (len(cases()), wrong) == (CASES, [])


@pytest.mark.parametrize(("name", "vouched"), [("ams_fields_h_empty", False), ("cv_pass_i1_1", True)])
async def test_a_chain_that_does_not_cover_from_vouches_for_no_author(name: str, vouched: bool) -> None:
    case = next(case for case in cases() if case.name == name)
    verdict = await verify(MemoryResolver(txt=case.records), case.message, now=NOW, trusted=("example.org",))
    assert (ArcResult.PASS, vouched) == (verdict.result, bool(verdict.trusted_results))


@pytest.mark.parametrize(("name", "sealers"), [("001", ("google.com",)), ("002", ("manchego.org", "scamorza.org"))])
async def test_chains_of_real_mail_pass(name: str, sealers: tuple[str, ...]) -> None:
    records, message = read_signed(f"arc/{name}.txt")
    verdict = await verify(MemoryResolver(txt=records), message, now=NOW, trusted=())
    assert (ArcResult.PASS, sealers) == (verdict.result, verdict.sealers)
