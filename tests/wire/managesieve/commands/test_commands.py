"""What each command asks for. RFC 5804 §2."""

import pytest

from mailstack.wire.managesieve.commands.authenticate import Authenticate
from mailstack.wire.managesieve.commands.capability import Capability
from mailstack.wire.managesieve.commands.checkscript import CheckScript
from mailstack.wire.managesieve.commands.deletescript import DeleteScript
from mailstack.wire.managesieve.commands.getscript import GetScript
from mailstack.wire.managesieve.commands.havespace import HaveSpace
from mailstack.wire.managesieve.commands.listscripts import ListScripts
from mailstack.wire.managesieve.commands.logout import Logout
from mailstack.wire.managesieve.commands.noop import Noop
from mailstack.wire.managesieve.commands.putscript import PutScript
from mailstack.wire.managesieve.commands.renamescript import RenameScript
from mailstack.wire.managesieve.commands.setactive import SetActive
from mailstack.wire.managesieve.commands.starttls import Starttls
from mailstack.wire.managesieve.commands.table import PARSERS, Request
from mailstack.wire.managesieve.commands.unauthenticate import Unauthenticate
from tests.support.managesieve_events import refusal_of, request_of


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (b'Authenticate "DIGEST-MD5"', Authenticate(mechanism="DIGEST-MD5", initial=None)),  # §2.1
        (b'AUTHENTICATE "plain" "AGEAYg=="', Authenticate(mechanism="PLAIN", initial=b"AGEAYg==")),
        (b'AUTHENTICATE "PLAIN" {8+}\r\nAGEAYg==', Authenticate(mechanism="PLAIN", initial=b"AGEAYg==")),
        (b'AUTHENTICATE "PLAIN" ""', Authenticate(mechanism="PLAIN", initial=b"")),
        (b'AUTHENTICATE "PLAIN" "' + b"a" * 2_000 + b'"', Authenticate(mechanism="PLAIN", initial=b"a" * 2_000)),
        (b"StartTls", Starttls()),  # §2.2
        (b"Logout", Logout()),  # §2.3
        (b"CAPABILITY", Capability()),  # §2.4
        (b'HAVESPACE "myscript" 999999', HaveSpace(name="myscript", size_octets=999_999)),  # §2.5
        (b'HAVESPACE "myscript" 0', HaveSpace(name="myscript", size_octets=0)),
        (b'HAVESPACE "myscript" 4294967295', HaveSpace(name="myscript", size_octets=(1 << 32) - 1)),
        (
            b'Putscript "foo" {31+}\r\n#comment\r\nInvalidSieveCommand\r\n',  # §2.6
            PutScript(name="foo", content=b"#comment\r\nInvalidSieveCommand\r\n"),
        ),
        (b'PUTSCRIPT {3+}\r\nfoo "keep;"', PutScript(name="foo", content=b"keep;")),
        (b"PUTSCRIPT {3+}\r\nfoo {5+}\r\nkeep;", PutScript(name="foo", content=b"keep;")),
        (b'PUTSCRIPT "foo" {3+}\r\n\x00\xff{', PutScript(name="foo", content=b"\x00\xff{")),
        (b'PUTSCRIPT "foo" ""', PutScript(name="foo", content=b"")),
        (b"Listscripts", ListScripts()),  # §2.7
        (b'Setactive "vacationscript"', SetActive(name="vacationscript")),  # §2.8
        (b'Setactive ""', SetActive(name=None)),
        (b"Setactive {0+}\r\n", SetActive(name=None)),
        (b'Getscript "myscript"', GetScript(name="myscript")),  # §2.9
        (b'Deletescript "foo"', DeleteScript(name="foo")),  # §2.10
        (b'DELETESCRIPT "../../etc/passwd"', DeleteScript(name="../../etc/passwd")),  # a name like any other
        (b'DELETESCRIPT "clever\\"script\\\\"', DeleteScript(name='clever"script\\')),
        ('DELETESCRIPT "Überfluß"'.encode(), DeleteScript(name="Überfluß")),
        (b'Renamescript "foo" "bar"', RenameScript(name="foo", new_name="bar")),  # §2.11
        (b"CheckScript {5+}\r\nkeep;", CheckScript(content=b"keep;")),  # §2.12
        (b"NOOP", Noop(tag=None)),  # §2.13
        (b'NOOP "STARTTLS-SYNC-42"', Noop(tag=b"STARTTLS-SYNC-42")),
        (b"UNAUTHENTICATE", Unauthenticate()),  # §2.14.1
    ],
)
def test_a_command(command: bytes, request_: Request) -> None:
    assert request_of(command) == request_


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("rest", [b" ", b" (", b' "a" "b" "c"', b' "a', b' "a\\n"', b' "a"x', b" \x80"])
def test_what_no_command_has(name: str, rest: bytes) -> None:
    assert refusal_of(name.encode() + rest)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (b"", "expected a command"),
        (b" NOOP", "expected a command"),
        (b'"NOOP"', "expected a command"),
        (b"XYZZY", "unknown command"),
        (b"NO\0OP", "unknown command"),
        (b"NOOP  ", "expected a string"),
        (b"GETSCRIPT", "expected a space"),
        (b"GETSCRIPT foo", "expected a string"),
        (b'GETSCRIPT  "foo"', "expected a string"),
        (b'GETSCRIPT ""', "a script name is empty"),
        (b"GETSCRIPT {0+}\r\n", "a script name is empty"),
        (b'GETSCRIPT "\xff"', "a string is not UTF-8"),
        (b'GETSCRIPT "a\0b"', "expected a string"),
        (b'GETSCRIPT "a\rb"', "expected a string"),
        (b'GETSCRIPT "foo" ', "unexpected text after the command"),
        (b'GETSCRIPT "foo" {3+}\r\nbar', "unexpected text after the command"),
        (b"GETSCRIPT{3+}\r\nfoo", "expected a space"),
        (b'RENAMESCRIPT "foo" ""', "a script name is empty"),
        (b'HAVESPACE "foo" 4294967296', "a number is too large"),
        (b'HAVESPACE "foo" 99999999999', "expected a number"),
        (b'HAVESPACE "foo" 01', "expected a number"),
        (b'HAVESPACE "foo" "1"', "expected a number"),
        (b'HAVESPACE "foo" -1', "expected a number"),
    ],
)
def test_malformed(command: bytes, text: str) -> None:
    assert refusal_of(command) == text


def test_a_sasl_response_stays_out_of_the_repr() -> None:
    assert "AGEAYg" not in repr(request_of(b'AUTHENTICATE "PLAIN" "AGEAYg=="'))
