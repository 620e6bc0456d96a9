"""Results as JUnit XML, in the dialect that GitLab, Jenkins and the report actions of GitHub read. Pure."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from mailstack.app.spec_tests.result import Outcome, Result, count

CLASS_NAME = "mailstack"

# XML 1.0 §2.2: Char; the rest cannot stand in a document, escaped or not.
_NO_CHAR = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result], spec_name: str) -> str:
    counts = {
        "tests": str(len(results)),
        "failures": str(count(results, Outcome.FAILED)),
        "errors": str(count(results, Outcome.ERROR)),
        "skipped": "0",
        "time": _seconds(sum(result.duration_s for result in results)),
    }
    suites = Xml.Element("testsuites", {"name": "mailstack test", **counts})
    suite = Xml.SubElement(suites, "testsuite", {"name": _shown(spec_name), **counts})
    for result in results:
        suite.append(_case(result))
    Xml.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(suites, encoding="unicode")}\n'


def _case(result: Result) -> Xml.Element:
    case = Xml.Element(
        "testcase",
        {
            "name": _shown(result.name),
            "classname": CLASS_NAME,
            "file": _shown(result.place.file),
            "line": str(result.place.line),
            "time": _seconds(result.duration_s),
        },
    )
    if result.outcome is Outcome.FAILED:
        first = str(result.differences[0])
        found = Xml.SubElement(case, "failure", {"message": _shown(first), "type": result.differences[0].what})
        found.text = _shown("\n".join(_lines(result)))
    elif result.outcome is Outcome.ERROR:
        last = result.trouble.strip().rpartition("\n")[2]
        Xml.SubElement(case, "error", {"message": _shown(last), "type": "error"}).text = _shown(result.trouble)
    return case


def _lines(result: Result) -> list[str]:
    lines = [f"{result.place}: {result.name}", *map(str, result.differences), ""]
    for step in result.story:
        lines.append(f"{step.said}: {step.answer}")
        lines += [f"    {note}" for note in step.notes]
    return lines


def _shown(text: str) -> str:
    return _NO_CHAR.sub("\N{REPLACEMENT CHARACTER}", text)


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.6f}"
