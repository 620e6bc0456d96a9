"""TAP, JUnit XML and JSON, read back as CI systems read them."""

import json
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from mailstack.app.spec_tests.document import document
from mailstack.app.spec_tests.junit import junit
from mailstack.app.spec_tests.result import Difference, Outcome, Result, Step
from mailstack.app.spec_tests.tap import tap
from mailstack.spec.faults import Place
from tests.support.spec_tests import FAILURES, results_of
from tests.support.tap_parser import read_tap

PASSED = Result(name="sales", place=Place("spec.yaml", 7, 5), outcome=Outcome.PASSED, duration_s=0.0015)
FAILED = replace(
    PASSED,
    name="a # and a \\",
    outcome=Outcome.FAILED,
    differences=(Difference(what="delivered", expected="alice: INBOX"), Difference(what="rejected", found="550 no")),
    story=(Step(said="RCPT TO:<a@b>", answer="550 no", notes=("a@b belongs to nobody",)),),
)
ERROR = replace(PASSED, name="<broken>", outcome=Outcome.ERROR, trouble="Traceback …\n  File\nKeyError: 'x'\n")
RESULTS = (PASSED, FAILED, ERROR)
# Everything that ends lines, quotes, tags or YAML blocks, and what XML cannot hold at all.
HOSTILE = "\x00\x1b[2J</failure>]]>&\"'\n  ...\nok 9 - x\u2028\ud800\ufffe"


def test_tap_is_read_back() -> None:
    passed, failed, error = read_tap(tap(RESULTS))
    assert (passed.is_ok, passed.name, passed.diagnosis) == (True, "sales", None)
    assert (failed.is_ok, failed.name) == (False, "a # and a \\")
    assert failed.diagnosis == {
        "severity": "fail",
        "at": "spec.yaml:7:5",
        "duration_ms": 1.5,
        "differences": ["delivered: expected alice: INBOX, found nothing", "rejected: not expected: 550 no"],
        "story": [{"said": "RCPT TO:<a@b>", "answer": "550 no", "directory": ["a@b belongs to nobody"]}],
    }
    assert error.diagnosis is not None
    assert (error.diagnosis["severity"], error.diagnosis["trouble"]) == ("error", ERROR.trouble)


def test_junit_is_read_back() -> None:
    suites = Xml.fromstring(junit(RESULTS, "mailstack.yaml"))
    (suite,) = suites
    counts = {"tests": "3", "failures": "1", "errors": "1", "skipped": "0", "time": "0.004500"}
    assert suites.tag == "testsuites"
    assert {name: suites.get(name) for name in counts} == counts
    assert suite.attrib == {"name": "mailstack.yaml", **counts}
    passed, failed, error = suite
    assert passed.attrib == {
        "name": "sales",
        "classname": "mailstack",
        "file": "spec.yaml",
        "line": "7",
        "time": "0.001500",
    }
    (failure,) = failed
    assert (failure.tag, failure.get("message")) == ("failure", "delivered: expected alice: INBOX, found nothing")
    assert "RCPT TO:<a@b>: 550 no\n    a@b belongs to nobody" in (failure.text or "")
    assert (error[0].tag, error[0].get("message")) == ("error", "KeyError: 'x'")


def test_json_says_it_all() -> None:
    found = json.loads(json.dumps(document(RESULTS, "mailstack.yaml")))
    assert (found["spec"], found["passed"], found["failed"], found["errors"]) == ("mailstack.yaml", 1, 1, 1)
    assert found["tests"][1]["differences"][0] == {"what": "delivered", "expected": "alice: INBOX", "found": ""}
    assert found["tests"][1]["story"][0]["directory"] == ["a@b belongs to nobody"]
    assert (found["tests"][0]["file"], found["tests"][0]["line"], found["tests"][0]["column"]) == ("spec.yaml", 7, 5)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERROR])
def test_nothing_in_a_result_breaks_a_report(outcome: Outcome) -> None:
    result = replace(
        FAILED,
        outcome=outcome,
        differences=(Difference(what="contains", expected=HOSTILE, found=HOSTILE),),
        story=(Step(said=HOSTILE, answer=HOSTILE, notes=(HOSTILE,)),),
        trouble=HOSTILE,
    )
    assert len(read_tap(tap((result, PASSED)))) == 2
    assert len(Xml.fromstring(junit((result,), HOSTILE))[0]) == 1
    json.dumps(document((result,), HOSTILE))


async def test_reports_of_real_failures_are_sound() -> None:
    results = await results_of(FAILURES)
    failed = sum(result.outcome is Outcome.FAILED for result in results)
    points = read_tap(tap(results))
    assert [point.name for point in points] == [result.name for result in results]
    assert sum(not point.is_ok for point in points) == failed
    assert Xml.fromstring(junit(results, str(FAILURES))).get("failures") == str(failed)
