"""RFC 5703 §3."""

import pytest

from mailstack.sieve.actions import FileInto
from mailstack.sieve.facts import Fact, IncludedScript
from mailstack.sieve.limits import Limits
from tests.support.sieve import compiled, done, faults, outcome

PARTS = """\
X-Test: a
Content-Type: multipart/mixed; boundary=A

--A
X-Test: b
Content-Type: multipart/mixed; boundary=B

--B
X-Test: c

--B
X-Test: d

--B--
--A
X-Test: e
Content-Type: message/rfc822

X-Test: f

text
--A--
"""
REQUIRE = 'require ["foreverypart", "mime", "variables", "fileinto", "include"];'
SEEN = 'if header :mime :matches "x-test" "*" { set "seen" "${seen}${1}"; }'


def seen(script: str, message: str = PARTS) -> str:
    (action,) = done(f'{REQUIRE} {script} fileinto "seen ${{seen}}";', message)
    assert isinstance(action, FileInto)
    return action.mailbox.removeprefix("seen ")


@pytest.mark.parametrize(
    ("script", "order"),
    [
        (f"foreverypart {{ {SEEN} }}", "abcdef"),
        # An inner loop goes through what the part of the outer one holds.
        (f"foreverypart {{ {SEEN} foreverypart {{ {SEEN} }} }}", "abcdefbcdcdeff"),
        (f'foreverypart {{ {SEEN} if header :mime "x-test" "c" {{ break; }} }}', "abc"),
        (f"foreverypart {{ {SEEN} foreverypart {{ {SEEN} break; }} }}", "abbccdeff"),
        (f'foreverypart :name "o" {{ {SEEN} foreverypart {{ {SEEN} break :name "o"; }} }}', "ab"),
        (f'foreverypart :name "x" {{ {SEEN} foreverypart :name "x" {{ break :name "x"; }} }}', "abcdef"),
        (f'foreverypart {{ {SEEN} foreverypart :name "i" {{ foreverypart {{ break :name "i"; }} }} }}', "abcdef"),
        (f'foreverypart {{ foreverypart {{ {SEEN} }} if header :mime "x-test" "a" {{ {SEEN} break; }} }}', "bcdefa"),
        (f'foreverypart {{ {SEEN} if not header "x-test" "a" {{ break; }} }}', "abcdef"),
        (f'foreverypart {{ if header :mime :anychild "x-test" "d" {{ {SEEN} }} }}', "abd"),
        (f"foreverypart {{}} {SEEN}", "a"),
    ],
)
def test_loops(script: str, order: str) -> None:
    assert seen(script) == order


def test_a_message_without_parts_is_one() -> None:
    assert seen(f"foreverypart {{ {SEEN} foreverypart {{ {SEEN} }} }}", "X-Test: only\n\nbody") == "only"


def test_stop_and_return_end_loops_too() -> None:
    assert done(f"{REQUIRE} foreverypart {{ discard; stop; }} keep;") == done("discard;")
    inner = IncludedScript("i", is_global=False)
    script = 'include "i"; keep;'
    facts: dict[Fact, object] = {inner: compiled(f"{REQUIRE} foreverypart {{ discard; return; }} keep;")}
    assert done(f"{REQUIRE} {script}", PARTS, facts) == done("discard; keep;")


def test_a_script_that_is_included_in_a_loop_is_at_its_part() -> None:
    inner = IncludedScript("i", is_global=False)
    loop = compiled(f'{REQUIRE} global "seen"; foreverypart {{ {SEEN} }}')
    script = f'{REQUIRE} global "seen"; foreverypart {{ include "i"; }} fileinto "${{seen}}";'
    assert done(script, PARTS, {inner: loop}) == [FileInto(mailbox="bcdefcdf")]


def test_loops_of_included_scripts_are_counted_too() -> None:
    facts: dict[Fact, object] = {
        IncludedScript(name, is_global=False): compiled(f'{REQUIRE} foreverypart {{ include "{following}"; }}')
        for name, following in ("bc", "cd", "de", "ef")
    }
    nested = "".join(f"Content-Type: multipart/mixed; boundary={name}N\n\n--{name}N\n" for name in "ABCDEF")
    found = outcome(f'{REQUIRE} foreverypart {{ include "b"; }}', nested, facts)
    assert "more than 4 'foreverypart'" in found.fault


def test_parts_cost_steps() -> None:
    parts = "Content-Type: multipart/mixed; boundary=A\n\n" + "--A\n\n" * 500
    assert "more than 400 steps" in outcome(f"{REQUIRE} foreverypart {{}}", parts, limits=Limits(steps=400)).fault


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("break;", "'break' outside of 'foreverypart'"),
        ('break :name "a";', "'break' outside of 'foreverypart'"),
        ('foreverypart :name "b" { break :name "a"; }', "has the name 'a'"),
        ('foreverypart { break :name "a"; }', "has the name 'a'"),
        ('foreverypart :name "a" {} foreverypart { break :name "a"; }', "has the name 'a'"),
        ("foreverypart;", "needs a block"),
        ('foreverypart "a" {}', "one argument too many"),
        ("foreverypart :name 13 {}", "expects a string"),
        ("foreverypart true {}", "accepts no sub-tests"),
        ("foreverypart { break :tag; }", "unknown tagged argument"),
        ("foreverypart {" * 5 + "}" * 5, "more than 4 'foreverypart' in each other"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(f"{REQUIRE} {script}")
    assert says in fault
