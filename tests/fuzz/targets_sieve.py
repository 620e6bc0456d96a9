"""Anybody's script over anybody's mail: it is refused with places, or ends with actions; the mail is never lost.

Covers mailstack.sieve.lexer, parser, check, run and the extensions.
"""

from mailstack.sieve.check import compile_script
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.sieve.facts import Wanted
from mailstack.sieve.faults import Broken
from mailstack.sieve.limits import Limits
from mailstack.sieve.run import Mail, Outcome, Script, run
from tests.fuzz.target import Target

MAIL = Mail(
    raw=b"From: a@b.example\r\nTo: c+d@e.example\r\nSubject: =?utf-8?q?=C3=A4?= 12\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>"
)
LIMITS = Limits(steps=20_000)


def compiled(data: bytes) -> Script | Broken:
    try:
        return compile_script(data, EXTENSIONS, limits=LIMITS)
    except Broken as broken:
        return broken


def compile_and_run(data: bytes) -> None:
    script = compiled(data)
    if isinstance(script, Broken):
        assert script.faults
        assert all(fault.line >= 1 and fault.column >= 1 and fault.text for fault in script.faults)
        return
    found = run(script, MAIL, limits=LIMITS)
    assert isinstance(found, Wanted | Outcome)
    if isinstance(found, Outcome) and found.fault:
        assert [action.__class__.__name__ for action in found.actions] == ["Keep"]


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
    b'require "encoded-character"; if string "${hex: 24 24}${unicode:41}" "" { keep; }',
)
TARGETS = [Target("sieve", compile_and_run, SEEDS)]
