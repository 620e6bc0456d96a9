"""RFC 6009."""

import pytest

from mailstack.sieve.actions import Keep, Redirect
from mailstack.sieve.run import SieveEnvelope
from tests.support.sieve import done, faults, holds, outcome

ENVELOPE = SieveEnvelope(
    sender="a@b.example",
    recipient="c@d.example",
    parameters={
        "notify": ("SUCCESS", "FAILURE"),
        "ret": ("FULL",),
        "envid": ("QQ314159",),
        "orcpt": ("rfc822;e@f.example",),
    },
)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('envelope "notify" "SUCCESS"', True),
        ('envelope "notify" "NEVER"', False),
        ('envelope "RET" "full"', True),
        ('envelope :matches "envid" "QQ*"', True),
        ('envelope "orcpt" "rfc822;e@f.example"', True),
        ('envelope :domain "from" "b.example"', True),
    ],
)
def test_envelope(test: str, expected: bool) -> None:
    assert holds(f'require ["envelope", "envelope-dsn"]; {test}', envelope=ENVELOPE) is expected


@pytest.mark.parametrize(
    ("tags", "notify", "ret"),
    [
        (':notify "NEVER"', "NEVER", None),
        (':notify ["success", "FAILURE"]', "SUCCESS,FAILURE", None),
        (':ret "hdrs"', None, "HDRS"),
        (':copy :ret "FULL" :notify "delay"', "DELAY", "FULL"),
    ],
)
def test_redirect(tags: str, notify: str | None, ret: str | None) -> None:
    found = done(f'require ["redirect-dsn", "copy"]; redirect {tags} "a@b.example";')
    assert found[0] == Redirect(address="a@b.example", notify=notify, ret=ret)
    assert found[1:] == ([Keep(is_implicit=True)] if ":copy" in tags else [])


@pytest.mark.parametrize("tags", [':notify "sometimes"', ':ret "some"'])
def test_faults(tags: str) -> None:
    (fault,) = faults(f'require "redirect-dsn"; redirect {tags} "a@b.example";')
    assert "one of" in fault


def test_never_stands_alone() -> None:
    assert (
        "':notify' NEVER, DELAY"
        in outcome('require "redirect-dsn"; redirect :notify ["never", "delay"] "a@b.example";').fault
    )
