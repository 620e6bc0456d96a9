"""Responses, byte for byte, by the examples of RFC 5804."""

import pytest

from mailstack.wire.managesieve.capability import Engine, after_login, before_login
from mailstack.wire.managesieve.responses import (
    Capability,
    Challenge,
    Code,
    Condition,
    ListedScript,
    Reply,
    Response,
    ScriptContent,
)
from mailstack.wire.managesieve.write import string, write

ENGINE = Engine(extensions=("fileinto", "vacation"), redirects=5, notify_schemes=("mailto",))


def ok(text: str = "", code: Code | None = None, code_value: bytes | None = None) -> Reply:
    return Reply(condition=Condition.OK, text=text, code=code, code_value=code_value)


def no(text: str = "", code: Code | None = None) -> Reply:
    return Reply(condition=Condition.NO, text=text, code=code)


@pytest.mark.parametrize(
    ("response", "written"),
    [
        (ok(), b"OK\r\n"),
        (ok("NOOP completed"), b'OK "NOOP completed"\r\n'),  # §2.13
        (ok("Done", Code.TAG, b"STARTTLS-SYNC-42"), b'OK (TAG "STARTTLS-SYNC-42") "Done"\r\n'),
        (ok("Done", Code.TAG, b'a"\r\n'), b'OK (TAG {4}\r\na"\r\n) "Done"\r\n'),
        (ok("", Code.TAG, b""), b'OK (TAG "")\r\n'),
        (ok(code=Code.SASL, code_value=b"cnNwYXV0aD0="), b'OK (SASL "cnNwYXV0aD0=")\r\n'),  # §2.1
        (ok("line 8: too many", Code.WARNINGS), b'OK (WARNINGS) "line 8: too many"\r\n'),  # §2.6
        (no("Quota exceeded", Code.QUOTA_MAXSIZE), b'NO (QUOTA/MAXSIZE) "Quota exceeded"\r\n'),  # §2.5
        (no("line 2: a\r\nline 3: b"), b"NO {20}\r\nline 2: a\r\nline 3: b\r\n"),  # §2.6
        (no('no "such"', Code.NONEXISTENT), b'NO (NONEXISTENT) {9}\r\nno "such"\r\n'),
        (no("größer"), 'NO "größer"\r\n'.encode()),
        (Reply(condition=Condition.BYE, text="Too long", code=Code.TRYLATER), b'BYE (TRYLATER) "Too long"\r\n'),
        (Challenge(b""), b'""\r\n'),
        (Challenge(b"AGE="), b'"AGE="\r\n'),
        (Capability(name="STARTTLS"), b'"STARTTLS"\r\n'),
        (Capability(name="SASL", value=""), b'"SASL" ""\r\n'),
        (ListedScript(name="summer_script", is_active=False), b'"summer_script"\r\n'),  # §2.7
        (ListedScript(name="main_script", is_active=True), b'"main_script" ACTIVE\r\n'),
        (ListedScript(name='clever"script', is_active=False), b'{13}\r\nclever"script\r\n'),
        (ListedScript(name="back\\slash", is_active=True), b"{10}\r\nback\\slash ACTIVE\r\n"),
        (
            ScriptContent(b'#this is my wonderful script\r\nreject "I reject all";\r\n'),  # §2.9
            b'{54}\r\n#this is my wonderful script\r\nreject "I reject all";\r\n\r\n',
        ),
        (ScriptContent(b""), b"{0}\r\n\r\n"),
    ],
)
def test_a_response(response: Response, written: bytes) -> None:
    assert write(response) == written


def test_what_is_quoted_has_at_most_1024_octets() -> None:
    assert string(b"x" * 1024) == b'"%b"' % (b"x" * 1024)
    assert string(b"x" * 1025) == b"{1025}\r\n%b" % (b"x" * 1025)


def greeting(capabilities: tuple[Capability, ...]) -> bytes:
    return b"".join(map(write, capabilities))


def test_capabilities_of_a_stranger_in_the_clear() -> None:
    # §1.7: without a mechanism there is STARTTLS
    assert greeting(before_login(ENGINE, offers_starttls=True, mechanisms=())) == (
        b'"IMPLEMENTATION" "mailstack"\r\n'
        b'"VERSION" "1.0"\r\n'
        b'"SASL" ""\r\n'
        b'"SIEVE" "fileinto vacation"\r\n'
        b'"MAXREDIRECTS" "5"\r\n'
        b'"NOTIFY" "mailto"\r\n'
        b'"STARTTLS"\r\n'
    )


def test_capabilities_after_login() -> None:
    engine = Engine(extensions=("fileinto",), redirects=0)

    assert greeting(after_login(engine, owner="alice@a.example", mechanisms=("SCRAM-SHA-256", "PLAIN"))) == (
        b'"IMPLEMENTATION" "mailstack"\r\n'
        b'"VERSION" "1.0"\r\n'
        b'"SASL" "SCRAM-SHA-256 PLAIN"\r\n'
        b'"SIEVE" "fileinto"\r\n'
        b'"MAXREDIRECTS" "0"\r\n'
        b'"OWNER" "alice@a.example"\r\n'
        b'"UNAUTHENTICATE"\r\n'
    )


def test_each_code_is_written_as_the_rfc_writes_it() -> None:
    assert {code.value for code in Code} == {
        *("AUTH-TOO-WEAK", "ENCRYPT-NEEDED", "QUOTA", "QUOTA/MAXSCRIPTS", "QUOTA/MAXSIZE", "SASL"),
        *("TRANSITION-NEEDED", "TRYLATER", "ACTIVE", "NONEXISTENT", "ALREADYEXISTS", "TAG", "WARNINGS"),
    }
