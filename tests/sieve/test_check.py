"""What is wrong with a script: everything at once, with line, column and a hint. RFC 5228 §2.6, §2.10.5."""

import time

import pytest

from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.faults import Broken
from mailstack.sieve.limits import Limits
from tests.support.sieve import compiled, faults


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("kep;", ["line 1, column 1: unknown command 'kep' (did you mean 'keep'?)"]),
        ('if hedar "a" "b" {}', ["line 1, column 4: unknown test 'hedar' (did you mean 'header'?)"]),
        ('fileinto "a";', ["line 1, column 1: unknown command 'fileinto' (require 'fileinto' first)"]),
        ('header "a" "b";', ["line 1, column 1: attempt to use test 'header' as a command (it belongs behind 'if')"]),
        ("if keep {}", ["line 1, column 4: attempt to use command 'keep' as a test"]),
        ("keep", ["line 1, column 5: the end of the script where 'keep' should end (a semicolon is missing)"]),
        ("keep; }", ["line 1, column 7: a closing brace without an opening one"]),
        ("if true { keep;", ["line 1, column 9: a block without its closing brace"]),
        ("if true;", ["line 1, column 1: the if command needs a block: { … }"]),
        ("keep {}", ["line 1, column 1: the keep command takes no block (a semicolon ends it)"]),
        (
            "keep true;",
            [
                "line 1, column 6: the keep command accepts no sub-tests, but one is specified (a semicolon may"
                " be missing before it)"
            ],
        ),
        ("keep kip;", ["line 1, column 6: missing semicolon behind the keep command, before 'kip'"]),
        (
            'require "fileinto"; fileinto "A" keep;',
            ["line 1, column 34: missing semicolon behind the fileinto command, before 'keep'"],
        ),
        (
            'if header contains "a" "b" {}',
            [
                "line 1, column 4: the header test requires 2 positional arguments (header names, key list),"
                " but 0 are specified",
                "line 1, column 11: missing colon in front of 'contains', a tag of the header test",
            ],
        ),
        ("if (true) {}", ["line 1, column 1: the if command takes one test (allof and anyof make one of several)"]),
        ("if not (true) {}", ["line 1, column 4: the not test takes one test (allof and anyof make one of several)"]),
        ("if allof true {}", ["line 1, column 4: the allof test takes tests, in parentheses"]),
        ("if {}", ["line 1, column 1: the if command takes one test (allof and anyof make one of several)"]),
        ("if allof {}", ["line 1, column 4: the allof test takes tests, in parentheses"]),
        ('require "copy" {}', ["line 1, column 1: the require command takes no block (a semicolon ends it)"]),
        ("else {}", ["line 1, column 1: 'else' without an 'if' before it"]),
        ("if true {} else {} else {}", ["line 1, column 20: 'else' behind 'else'"]),
        ("if true {} keep; elsif true {}", ["line 1, column 18: 'elsif' without an 'if' before it"]),
        (
            'keep; require "copy";',
            ["line 1, column 7: 'require' behind other commands (it belongs at the beginning of the script)"],
        ),
        ('require "fileint";', ["line 1, column 9: there is no extension 'fileint' (did you mean 'fileinto'?)"]),
        (
            'redirect "a b";',
            ["line 1, column 10: 'a b': no address of one mailbox: local@domain, with or without a name"],
        ),
        ('if header :is :matches "a" "b" {}', ["line 1, column 15: ':matches' together with ':is' in one 'header'"]),
        ('if header :is :is "a" "b" {}', ["line 1, column 15: ':is' twice in one 'header'"]),
        (
            'if header "a" :is "b" {}',
            [
                "line 1, column 15: unexpected tagged argument ':is' behind the other arguments of the header"
                " test (tags come first)"
            ],
        ),
        (
            'if header :contains :comparator "i;ascii-numeric" "a" "b" {}',
            [
                "line 1, column 33: there is no comparator 'i;ascii-numeric'"
                ' (require "comparator-i;ascii-numeric" first)'
            ],
        ),
        (
            'require "comparator-i;ascii-numeric"; if header :contains :comparator "i;ascii-numeric" "a" "b" {}',
            ["line 1, column 71: i;ascii-numeric compares whole values, and ':contains' parts"],
        ),
        (
            "if kep;",
            ["line 1, column 1: the if command needs a block: { … }", "line 1, column 4: unknown test 'kep'"],
        ),
        ("if kep { kip; }", ["line 1, column 4: unknown test 'kep'", "line 1, column 10: unknown command 'kip'"]),
        ("elsif true {} elsif true {} else {}", ["line 1, column 1: 'elsif' without an 'if' before it"]),
        (
            "kep $$$ $; kep;",
            [
                "line 1, column 5: nothing begins with '$' here",
                "line 1, column 9: nothing begins with '$' here",
                "line 1, column 12: unknown command 'kep' (did you mean 'keep'?)",
            ],
        ),
        (
            'if header "a" 3 {}',
            [
                "line 1, column 15: the header test expects a string list as argument 2 (key list), but a"
                " number was found"
            ],
        ),
        (
            'if size :over "3" {}',
            ["line 1, column 15: the size test expects a number as argument 1 (limit), but a string was found"],
        ),
        ("if size 3 {}", ["line 1, column 4: 'size' needs ':over' or ':under'"]),
        ('if header :comparator "i;foo" "a" "b" {}', ["line 1, column 23: there is no comparator 'i;foo'"]),
        (
            'if header :comparator "i;ascii-numeric" "a" "b" {}',
            [
                "line 1, column 23: there is no comparator 'i;ascii-numeric'"
                ' (require "comparator-i;ascii-numeric" first)'
            ],
        ),
        (
            'if header :comparator "a" {}',
            [
                "line 1, column 4: the header test requires 2 positional arguments (header names, key list),"
                " but 0 are specified"
            ],
        ),
        (
            'redirect ["a@b.example"];',
            [
                "line 1, column 10: the redirect command expects a string as argument 1 (address), but a list"
                " of strings was found"
            ],
        ),
        ("if exists [] {}", ["line 1, column 12: a string belongs here, in the list of them, not ']'"]),
        ('if exists ["a" "b"] {}', ["line 1, column 16: a string in a list of strings (a comma is missing)"]),
        ('"a";', ["line 1, column 1: a command should begin here, not a string"]),
        (
            "keep;\r\n  kep;\n\tkip; kep;",
            [
                "line 2, column 3: unknown command 'kep' (did you mean 'keep'?)",
                "line 3, column 2: unknown command 'kip'",
            ],
        ),
        (
            'if true { kep; if kep {} } keep 3; "a',
            [
                "line 1, column 11: unknown command 'kep' (did you mean 'keep'?)",
                "line 1, column 19: unknown test 'kep'",
                "line 1, column 33: one argument too many for the keep command (it takes none)",
                "line 1, column 36: a string without its closing quote",
            ],
        ),
    ],
)
def test_faults(script: str, expected: list[str]) -> None:
    assert faults(script) == expected


def test_a_script_need_not_do_anything() -> None:
    for script in ("", "\n", "# nothing", "\ufeffkeep;", 'require "fileinto";', 'require ["fileinto", "copy"]; keep;'):
        compiled(script)


def test_bytes_that_are_not_utf_8_are_found_where_they_are() -> None:
    with pytest.raises(Broken, match="line 2, column 4: bytes that are not UTF-8"):
        compile_script(b"keep;\n# \xc3\xa4\xff", EXTENSIONS)


def test_no_more_faults_are_told_than_anybody_reads() -> None:
    assert len(faults("".join(f"kep{number};" for number in range(1000)))) == 20
    assert len(faults('"a";' * 1000)) == 20
    assert len(faults("if kep { keep 3; } else {} else {} " * 1000)) == 20


def test_nor_are_more_looked_for() -> None:
    began = time.process_time()
    assert len(faults("".join(f"kep{number};" for number in range(100_000)))) == 20
    assert len(faults("kep;" * 100_000)) == 1
    assert time.process_time() - began < 10  # not the minutes that 100,000 hints take


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(Broken, match="a script of more than 10 bytes"):
        compiled("keep; keep; keep;", limits=Limits(script_octets=10))


@pytest.mark.parametrize(
    "script",
    [
        "if true {" * 40 + "}" * 40,
        f"if {'not ' * 40} true {{}}",
        f"if {'anyof(' * 40} true{')' * 40} {{}}",
        "if true {" * 100_000,
    ],
)
def test_what_is_nested_too_deeply_is_refused(script: str) -> None:
    assert any("in each other" in fault for fault in faults(script))


def test_as_deep_as_the_rfc_asks_for() -> None:
    # RFC 5228 §3.1 and §5.2: 15 blocks, and 15 tests in one another.
    compiled("if true {" * 15 + f"if {'not ' * 15} true {{ keep; }}" + "}" * 15)
