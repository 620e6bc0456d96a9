"""Anybody's script over anybody's mail: it is refused with places, or ends with actions; the mail is never lost.

Covers mailstack.sieve.lexer, parser, check, run and the extensions.
"""

import random
from collections.abc import Sequence

from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.facts import Fact, IncludedScript, Metadata, Wanted
from mailstack.sieve.faults import Broken, Misplaced
from mailstack.sieve.lexer import Kind, tokens
from mailstack.sieve.limits import Limits
from mailstack.sieve.parser import parse, with_line_ends
from mailstack.sieve.run import Mail, Outcome, Script, SieveEnvelope, run
from mailstack.sieve.syntax import Command, Test
from tests.fuzz.target import Target
from tests.support.sieve_grammar import Grammar, broken, written

MAIL = Mail(
    raw=b"From: a@b.example\r\nTo: c+d@e.example\r\nSubject: =?utf-8?q?=C3=A4?= 12\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>"
)
LIMITS = Limits(steps=20_000)


def compiled(data: bytes) -> Script | Broken:
    try:
        return compile_script(data, EXTENSIONS, limits=LIMITS)
    except Broken as faults:
        return faults


def read_tokens(data: bytes) -> None:
    text = with_line_ends(data.decode("utf-8", "replace"))
    faults: list[Misplaced] = []
    found = list(tokens(text, faults))
    assert [token.kind for token in found if token.kind is Kind.END] == [Kind.END]
    assert found[-1].at == len(text)
    places = [token.at for token in found]
    assert places == sorted(places)
    assert {token.at for token in found if token.kind is Kind.BROKEN} == {fault.at for fault in faults}
    for token in found[:20]:
        # What a token is does not hang on what was before it.
        again = next(tokens(text[token.at :], []))
        assert (again.kind, again.value) == (token.kind, token.value)


def read_tree(data: bytes) -> None:
    text = with_line_ends(data.decode("utf-8", "replace"))
    commands, faults = parse(text, limits=LIMITS)
    assert all(0 <= fault.at <= len(text) and fault.text for fault in faults)
    if not faults:
        assert depth_of(commands) <= LIMITS.depth + 1


def depth_of(nodes: Sequence[Command | Test]) -> int:
    below: list[Command | Test] = []
    for node in nodes:
        below += [*node.tests, *((node.block or ()) if isinstance(node, Command) else ())]
    return 1 + depth_of(below) if below else 1


def compile_and_run(data: bytes) -> None:
    script = compiled(data)
    if isinstance(script, Broken):
        assert script.faults
        assert all(fault.line >= 1 and fault.column >= 1 and fault.text for fault in script.faults)
        return
    check_run(script, MAIL)


def run_over_mail(data: bytes) -> None:
    """The first byte says which script, or that one is to be made up; the others are the mail."""
    number = data[0] if data else 0
    mail = Mail(raw=data[1:], envelope=SieveEnvelope(sender="a@b.example", recipient="c+d@e.example"))
    if number < len(SEEDS):
        source = SEEDS[number]
    else:
        chance = random.Random(data)
        made = Grammar(chance).script()
        source = written(made if number % 2 else broken(made, chance), chance).encode()
    script = compiled(source)
    assert isinstance(script, Script) or number % 2 == 0
    if isinstance(script, Script):
        check_run(script, mail)


def check_run(script: Script, mail: Mail) -> None:
    """It ends, whatever it asks for; and the mail is where the script wants it, or is kept as it came."""
    facts: dict[Fact, object] = {}
    while isinstance(found := run(script, mail, facts, limits=LIMITS), Wanted):
        assert found.fact not in facts
        facts[found.fact] = answer(found.fact, script)
    assert isinstance(found, Outcome)
    assert len(found.actions) <= LIMITS.actions + 1
    kept = [(type(action).__name__, getattr(action, "raw", None)) for action in found.actions]
    assert not found.fault or kept == [("Keep", None)]
    assert all(len(raw) <= len(mail.raw) + LIMITS.written_octets for _, raw in kept if raw is not None)


def answer(fact: Fact, script: Script) -> object:
    """A script that is included is the one that includes it."""
    match fact:
        case IncludedScript():
            return None if fact.is_global else script
        case Metadata():
            return fact.name
        case _:
            return len(repr(fact)) % 2 == 0


SEEDS = (
    b'require ["fileinto", "copy"];\r\nif header :contains "subject" ["a", "b"] { fileinto :copy "A"; stop; }\r\n',
    b'require "variables"; if header :matches "from" "*<*@*>*" { set :upper "x" "${1}"; }\n# c\n/* d */ discard;',
    b'require ["envelope", "subaddress", "relational", "comparator-i;ascii-numeric", "imap4flags", "variables"];\n'
    b'if anyof (envelope :detail "to" "d", not address :count "ge" :comparator "i;ascii-numeric" ["to"] "1G")\n'
    b'{ addflag "f" ["\\\\Seen", "b"]; keep :flags "${f}"; } elsif true { redirect text:\na@b.example\n.\n; }\n',
    b'require ["enotify", "vacation-seconds", "duplicate", "date", "regex"]; notify "mailto:a@b.example?subject=%41";\n'
    b'if allof (not duplicate :handle "h", currentdate :zone "+0100" "hour" "12", header :regex "from" "(a|b)+@")\n'
    b'{ vacation :seconds 60 :addresses "c@d.example" "away"; }',
    b'require ["include", "ihave", "mailbox", "fileinto"]; if ihave "copy" { fileinto :create :copy "A"; }\n'
    b'include :once :optional "b"; if mailboxexists ["A", "B"] { return; }',
    b'require ["foreverypart", "mime", "extracttext", "replace", "variables", "body"]; foreverypart :name "a" {\n'
    b'if header :mime :anychild :param "boundary" "content-type" "b" { extracttext :first 9 "x"; } else\n'
    b'{ replace :mime :subject "s" "Content-Type: text/html\n\n${x}"; break :name "a"; } }\n'
    b'if body :content ["text", ""] :contains "o" { discard; }',
    b'require ["editheader", "enclose", "body"]; addheader :last "X-A" "b"; deleteheader :index 1 :last "subject";\n'
    b'enclose :subject "s" :headers ["To"] "t"; deleteheader :matches "x-a" "*"; if body :raw "b" { keep; }',
    b'require ["encoded-character", "variables"]; if string "${hex: 24 24}${unicode:41}" "" { keep; }',
)
MAILS = tuple(bytes([number]) + bytes(MAIL.raw) for number in range(len(SEEDS) + 4))
TARGETS = [
    Target("sieve tokens", read_tokens, SEEDS),
    Target("sieve tree", read_tree, SEEDS),
    Target("sieve", compile_and_run, SEEDS),
    Target("sieve over mail", run_over_mail, MAILS),
]
