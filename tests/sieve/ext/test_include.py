"""RFC 6609."""

import pytest

from mailstack.sieve.actions import Discard, FileInto, Keep
from mailstack.sieve.facts import Fact, IncludedScript
from mailstack.sieve.faults import Broken
from mailstack.sieve.limits import Limits
from tests.support.sieve import compiled, done, faults, outcome

KEPT = Keep(is_implicit=True)
REQUIRE = 'require ["include", "variables", "fileinto"];'


def scripts(**texts: str) -> dict[Fact, object]:
    """By name; those of the server begin with an underscore."""
    found: dict[Fact, object] = {}
    for name, text in texts.items():
        try:
            script: object = compiled(f"{REQUIRE} {text}")
        except Broken as broken:
            script = broken
        found[IncludedScript(name.removeprefix("_"), is_global=name.startswith("_"))] = script
    return found


@pytest.mark.parametrize(
    ("script", "included", "actions"),
    [
        ('include "a";', {"a": "discard;"}, [Discard()]),
        ('include :personal "a"; keep;', {"a": "discard;", "_a": "stop;"}, [Discard(), Keep()]),
        ('include :global "a"; keep;', {"a": "discard;", "_a": "stop;"}, [KEPT]),
        # RFC 6609 §3.3: return ends the script that is included, stop all of them.
        ('include "a"; fileinto "B";', {"a": "return; discard;"}, [FileInto(mailbox="B")]),
        ('include "a"; fileinto "B";', {"a": "if true { return; } discard;"}, [FileInto(mailbox="B")]),
        ('include "a"; fileinto "B";', {"a": "stop; discard;"}, [KEPT]),
        ("return; discard;", {}, [KEPT]),
        (
            'include :once "a"; include :once "a";',
            {"a": 'fileinto "${b}1"; global "b"; set "b" "2";'},
            [FileInto(mailbox="1")],
        ),
        ('include :optional "none";', {"none": ""}, [KEPT]),
        # RFC 6609 §3.4: variables are a script's own, unless they are global.
        (
            'set "v" "A"; include "a"; fileinto "${v}";',
            {"a": 'set "v" "B"; fileinto "=${w}";'},
            [FileInto(mailbox="="), FileInto(mailbox="A")],
        ),
        (
            'global "v"; include "a"; fileinto "${v}";',
            {"a": 'global ["v", "w"]; set "v" "B";'},
            [FileInto(mailbox="B")],
        ),
        ('global "v"; set "v" "B"; include "a";', {"a": 'fileinto "${global.v}";'}, [FileInto(mailbox="B")]),
        ('set "global.v" "B"; include "a";', {"a": 'global "v"; fileinto "${v}";'}, [FileInto(mailbox="B")]),
    ],
)
def test_include(script: str, included: dict[str, str], actions: list[object]) -> None:
    assert done(f"{REQUIRE} {script}", facts=scripts(**included)) == actions


def test_a_script_that_need_not_be_there_may_be_missing() -> None:
    missing: dict[Fact, object] = {IncludedScript("a", is_global=False): None}
    assert done(f'{REQUIRE} include :optional "a";', facts=missing) == [KEPT]
    assert "'a', which is included, does not exist" in outcome(f'{REQUIRE} include "a";', facts=missing).fault


def test_a_script_that_does_not_compile_ends_the_run() -> None:
    found = outcome(f'{REQUIRE} discard; include :optional "a";', facts=scripts(a="kep;"))
    assert "does not compile: line 1" in found.fault
    assert found.actions == (KEPT,)


def test_circles_end() -> None:
    around = scripts(a='include "b";', b='include "a";')
    assert "'a' includes itself" in outcome(f'{REQUIRE} include "a";', facts=around).fault


def test_there_are_not_more_inclusions_than_may_be() -> None:
    many = scripts(a='include "b";' * 20, b='include "c";' * 20, c="")
    assert "more than 64 scripts" in outcome(REQUIRE + 'include "a";' * 20, facts=many).fault
    assert Limits().includes == 64


def test_blocks_of_scripts_in_each_other_end_somewhere() -> None:
    blocks, ends = "if true {" * 30, "}" * 30
    deep = scripts(**{f"s{at}": f'{blocks} include "s{at + 1}"; {ends}' for at in range(60)}, s60="discard;")
    found = outcome(f'{REQUIRE} include "s0";', facts=deep)
    assert (found.fault, found.actions) == ("more than 10 scripts include each other", (KEPT,))
    found = outcome(f'{REQUIRE} include "s0";', facts=deep, limits=Limits(include_depth=100))
    assert (found.fault, found.actions) == (
        "too many blocks of scripts that include each other are in each other",
        (KEPT,),
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('require "include"; global "a";', "'global' without variables"),
        (f'{REQUIRE} include "${{a}}";', "must be known beforehand"),
        (f'{REQUIRE} include :personal :global "a";', "together with"),
        (f'{REQUIRE} global "1a";', "is no name of a variable"),
        ('require "variables"; set "a" "${global.b}";', "no namespace 'global'"),
        (f'{REQUIRE} include "a\u2028b";', "is no name of a script"),
        (f'{REQUIRE} include "";', "is no name of a script"),
        (f'{REQUIRE} set "A" "b"; global ["b", "a"]; set "a" "c";', "'a' was set before"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(script)
    assert says in fault


def test_what_is_global_may_be_said_to_be_again() -> None:
    compiled(f'{REQUIRE} global "a"; global "a"; set "a" "b"; keep; global ["A", "b"];')


def test_what_a_script_includes_is_known_without_a_run() -> None:
    script = f'{REQUIRE}\nif true {{ include :global "a"; }}\ninclude :optional "b";'
    found = compiled(script).includes
    assert [(one.script, one.is_optional) for one in found] == [
        (IncludedScript("a", is_global=True), False),
        (IncludedScript("b", is_global=False), True),
    ]
    assert compiled(script).text[found[1].at :].startswith('include :optional "b"')
