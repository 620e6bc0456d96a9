"""What hurt other mail servers, and the tests that it became here: tests/data/lessons.tsv has a line for each.

A line is a class, the cases that it is known by, and a test that must be there, or the part that this product lacks so
far: once that part comes, its lines have to name tests.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "mailstack"

CLASSES = {
    *("SMTP smuggling", "STARTTLS buffering", "IMAP memory exhaustion", "MIME bombs", "DAV and iCalendar expansion"),
    *("Resource exhaustion by accept loop", "Auth bypass", "LDAP, SQL and JMX injection", "DMARC bypass"),
    *("TLS policy semantics", "Cross-tenant and ACL", "Path traversal in the Sieve store", "Sieve engine"),
    *("Admin pages and templates", "Webmail HTML", "Data loss and upgrades", "Silent mis-delivery"),
    *("DNS automation damage", "Import and backup tools"),
    # Libraries that this product uses, and what was seen of each.
    *("dkimpy", "aiosmtpd", "authres", "octoDNS", "DNS providers", "DuckDB", "email of the standard library"),
    *("zstandard", "apsw", "uvicorn", "argon2", "acme", "watchfiles", "YAML"),
}

# Where each part will be.
LACKING = {
    "- no filters at delivery yet": "services/inbound/filter",
    "- no calendars yet": "servers/dav",
    "- no LDAP yet": "clients/ldap",
    "- no single sign-on yet": "clients/oidc",
    "- no import yet": "clients/imap_import",
}


class Lesson(NamedTuple):
    """test: a node id of pytest, or one of LACKING."""

    of: str
    cases: str
    test: str


def lessons() -> Iterator[Lesson]:
    for line in (ROOT / "tests" / "data" / "lessons.tsv").read_text(encoding="utf-8").splitlines():
        yield Lesson(*line.split("\t"))


@cache
def functions_of(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_class_has_its_lines() -> None:
    assert {lesson.of for lesson in lessons()} == CLASSES


def test_no_line_is_there_twice() -> None:
    found = [*lessons()]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("lesson", [each for each in lessons() if "::" in each.test], ids=lambda lesson: lesson.test)
def test_the_test_is_there(lesson: Lesson) -> None:
    file, _, name = lesson.test.partition("::")
    assert name.startswith("test_")
    assert name in functions_of(file)


@pytest.mark.parametrize("lesson", [each for each in lessons() if "::" not in each.test], ids=lambda lesson: lesson.of)
def test_what_waits_waits_for_a_part_that_is_not_there(lesson: Lesson) -> None:
    part = SOURCES / LACKING[lesson.test]
    assert not part.exists()
    assert not part.with_suffix(".py").exists()
