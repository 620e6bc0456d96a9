"""docs/imap.md says what the code says."""

import re
from pathlib import Path

from mailstack.model import annotation, flags
from mailstack.servers.imap.service import ImapLimits
from mailstack.services.mailbox import hierarchy, paths
from mailstack.wire.imap import capability, limits, search_keys
from mailstack.wire.imap.commands import list as list_command

PAGE = (Path(__file__).parents[1] / "docs" / "imap.md").read_text(encoding="utf-8")
AFTER_LOGIN = limits.after_login()
SERVER = ImapLimits()

NUMBERS = {
    "octets of one message (`server.limits.message_size`; `APPENDLIMIT`)": SERVER.message_octets,
    "messages that one command may name (`MESSAGELIMIT`)": SERVER.messages,
    "octets of a command line": AFTER_LOGIN.line_octets,
    "octets of a literal, a message not counted": AFTER_LOGIN.literal_octets,
    "octets of a command, messages not counted": AFTER_LOGIN.command_octets,
    "messages of one APPEND": AFTER_LOGIN.messages,
    "nested parentheses and NOTs": AFTER_LOGIN.nesting,
    "items of one FETCH": AFTER_LOGIN.items,
    "search keys of one command": search_keys.MAX_KEYS,
    "mailboxes of an account": hierarchy.MAX_MAILBOXES,
    "octets of a mailbox's leaf name": paths.MAX_NAME_OCTETS,
    "levels of mailboxes": paths.MAX_DEPTH,
    "octets of a keyword": flags.MAX_KEYWORD_OCTETS,
    "keywords of one message": flags.MAX_KEYWORDS_PER_MESSAGE,
    "patterns of one LIST": list_command.MAX_PATTERNS,
    "annotations of a mailbox": annotation.MAX_ENTRIES,
    "octets of an annotation": annotation.MAX_VALUE_OCTETS,
    "connections of one address before the login (`server.limits.connections_per_ip`)": SERVER.connections_per_ip,
    "connections of all addresses before the login, in a worker": SERVER.strangers,
    "connections of one account (`server.limits.connections_per_account`)": SERVER.connections_per_account,
    "octets of a command before the login": limits.BEFORE_LOGIN.command_octets,
    "seconds from the greeting to the login": int(SERVER.login_s),
    "seconds without a command, or in one IDLE, until the connection ends": int(SERVER.idle_s),
}


def test_the_limits_are_those_of_the_code() -> None:
    written = dict(re.findall(r"^\| (.+) \| (\d+) \|$", PAGE, re.MULTILINE))
    assert written == {name: str(number) for name, number in NUMBERS.items()}


def test_every_extension_is_named_and_no_other() -> None:
    offered = capability.after_login(message_octets=1, messages=1)
    names = {name.partition("=")[0] if name.endswith("=1") else name for name in offered}
    rows = re.findall(r"^\| .+ \| `.+` \|$", PAGE, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == names - {"IMAP4rev1", "IMAP4rev2"}
