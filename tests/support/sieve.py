"""Scripts as tests have them: compiled with all extensions, and run over a message that is a few lines of text."""

from collections.abc import Mapping
from typing import Any

from mailstack.sieve.actions import Action, Keep
from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.facts import Fact, Wanted
from mailstack.sieve.faults import Broken
from mailstack.sieve.limits import LIMITS, Limits
from mailstack.sieve.run import Mail, Outcome, Script, SieveEnvelope, run

MESSAGE = """\
From: Coyote <coyote@desert.example.org>
To: Road Runner <roadrunner@acme.example.com>
Subject: I have a present for you
X-Note: one
X-Note: two

Look, I'm sorry about the whole anvil thing.
"""
ENVELOPE = SieveEnvelope(sender="coyote@desert.example.org", recipient="roadrunner@acme.example.com")


def raw(message: str) -> bytes:
    return message.replace("\n", "\r\n").encode()


def compiled(script: str, *, limits: Limits = LIMITS) -> Script:
    return compile_script(script.encode(), EXTENSIONS, limits=limits)


def faults(script: str) -> list[str]:
    try:
        compiled(script)
    except Broken as broken:
        return list(map(str, broken.faults))
    return []


def outcome(
    script: str,
    message: str = MESSAGE,
    facts: Mapping[Fact, object] | None = None,
    *,
    limits: Limits = LIMITS,
    **mail: Any,  # what Mail takes
) -> Outcome:
    given = Mail(**{"raw": raw(message), "envelope": ENVELOPE, **mail})
    found = run(compiled(script, limits=limits), given, facts, limits=limits)
    assert not isinstance(found, Wanted), found
    return found


def done(script: str, message: str = MESSAGE, facts: Mapping[Fact, object] | None = None, **mail: Any) -> list[Action]:
    """The actions of a run that ends well."""
    found = outcome(script, message, facts, **mail)
    assert found.fault == ""
    return list(found.actions)


def holds(test: str, message: str = MESSAGE, facts: Mapping[Fact, object] | None = None, **mail: Any) -> bool:
    """Whether a test, `require "…"; test …`, is true of the message."""
    require, _, tested = test.rpartition("; ") if test.startswith("require") else ("", "", test)
    script = f"{require}{';' if require else ''} if {tested} {{ keep; }} else {{ discard; }}"
    return done(script, message, facts, **mail) == [Keep()]
