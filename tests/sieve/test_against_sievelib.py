"""sievelib, which others check scripts with, takes and refuses the same ones: of the part of Sieve that it knows.

Where it does not, DIFFERENCES say which of both is right.
"""

import random
import re
from pathlib import Path

import pytest
from sievelib.parser import Parser

from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.faults import Broken
from tests.support.sieve_grammar import REQUIRED, Grammar, broken, written

ROOT = Path(__file__).parents[2]
SCRIPTS = 400

# By what is said of the script here, and not there.
DIFFERENCES = {
    # RFC 5228 §8.2: command = identifier arguments (";" / block); it lets the script end without.
    "the end of the script where": "a semicolon is missing",
    # RFC 5228 §5: it lets a block begin where tests lack some of their arguments.
    "positional argument": "but \\d (is|are) specified",
    # RFC 5228 §2.4.2.3, RFC 5229 §3, RFC 5232 §3: it does not look into the strings.
    "no address of one mailbox": "",
    "is no name of a variable": "",
    "must be known beforehand": "variables are not",
    "a mailbox without a name": "",
}


def ours(script: str) -> list[str]:
    try:
        compile_script(script.encode(), EXTENSIONS)
    except Broken as faults:
        return [fault.said for fault in faults.faults]
    return []


def theirs(script: str) -> str:
    parser = Parser()
    try:
        return "" if parser.parse(script) else str(parser.error)
    except AttributeError as crash:  # of some scripts that end in the middle
        return repr(crash)


def compare(script: str) -> bool:
    """Whether it is refused; by both alike, or for a known reason."""
    here, there = ours(script), theirs(script)
    if here and not there:
        assert all(map(is_known, here)), (script, here)
    else:
        assert bool(here) == bool(there), (script, here, there)
    return bool(here)


def is_known(fault: str) -> bool:
    return any(what in fault and re.search(why, fault) for what, why in DIFFERENCES.items())


@pytest.mark.parametrize("seed", range(4))
def test_scripts_out_of_the_grammar_are_right(seed: int) -> None:
    chance = random.Random(f"right {seed}")
    for _ in range(SCRIPTS // 4):
        script = written(Grammar(chance).script(), chance)
        assert (ours(script), theirs(script)) == ([], ""), script


@pytest.mark.parametrize("seed", range(4))
def test_scripts_with_one_change_are_as_right_there_as_here(seed: int) -> None:
    chance = random.Random(f"changed {seed}")
    refused = sum(compare(written(broken(Grammar(chance).script(), chance), chance)) for _ in range(SCRIPTS // 4))
    assert SCRIPTS // 8 < refused < SCRIPTS // 4


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_not_required_is_refused_by_both(name: str) -> None:
    """Some script of the grammar uses it."""
    chance = random.Random(name)
    for _ in range(SCRIPTS):
        script = written(Grammar(chance).script(), chance)
        without = script.replace(f'"{name}"', '"body"', 1)
        if ours(without):
            break
    assert ours(without)
    assert theirs(without), without


def scripts_of_ours() -> list[str]:
    """Those of the conformance files and of the documentation that need nothing but what sievelib knows: of the
    extension mailbox, it has no test."""
    found = [path.read_text() for path in sorted((ROOT / "tests/data/svtest").rglob("*.sieve"))]
    found += re.findall(r"```sieve\n(.*?)```", (ROOT / "docs/sieve.md").read_text(), re.DOTALL)
    known = {*REQUIRED, "body", "date"}
    return [script for script in found if _required(script) <= known and "mailboxexists" not in script]


def _required(script: str) -> set[str]:
    return {
        name
        for listed in re.findall(r'require (\[[^\]]*\]|"[^"]*");', script)
        for name in re.findall(r'"([^"]*)"', listed)
    }


def test_scripts_of_ours() -> None:
    found = scripts_of_ours()
    assert len(found) > 10
    assert {compare(script) for script in found} == {True, False}
