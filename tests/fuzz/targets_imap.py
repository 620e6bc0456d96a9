"""IMAP: any bytes become events or ProtocolFault, whole or cut, and nothing is held beyond the limits."""

from collections.abc import Callable
from contextlib import suppress

from mailstack.model.errors import Invalid
from mailstack.model.scram import parse_verifier
from mailstack.wire.framing import ProtocolFault
from mailstack.wire.imap import utf7
from mailstack.wire.imap.commands.table import PARSERS, UID_PARSERS
from mailstack.wire.imap.dates import date_time, search_date
from mailstack.wire.imap.events import Event, MessageOctets
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.flags import flag_list
from mailstack.wire.imap.framing import announced_literal
from mailstack.wire.imap.limits import BEFORE_LOGIN, Limits, after_login
from mailstack.wire.imap.machine import ImapMachine
from mailstack.wire.imap.sections import partial, section, section_text
from mailstack.wire.imap.sets import sequence_set
from mailstack.wire.imap.tokens import Cursor
from mailstack.wire.imap.url import parse_url
from mailstack.wire.sasl.encoding import decode_initial, encode_challenge
from mailstack.wire.sasl.mechanisms import Offer, mechanism
from mailstack.wire.sasl.scram_message import parse_server_first
from mailstack.wire.sasl.steps import NeedsVerifier
from tests.fuzz.target import Target

_LIMITS = after_login(1_000)
_OFFER = Offer(has_verifiers=True, end_point=b"\x01")
_KEY = "A" * 43 + "="
_VERIFIER = f"SCRAM-SHA-256$4096:c2FsdA==${_KEY}:{_KEY}"
_SCRAM = (b"n,a=tim,n=tim,r=abc\nc=biws,r=abcserver,p=AA==", b"p=tls-server-end-point,,n==2C=3D,r=a\nc=,r=,p=")


def _conversation(limits: Limits) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        cuts = [
            [data],
            [data[at : at + 1] for at in range(len(data))],
            [data[at : at + 7] for at in range(0, len(data), 7)],
        ]
        answers = [_events(pieces, limits) for pieces in cuts]
        assert answers[0] == answers[1] == answers[2]

    return run


def _events(pieces: list[bytes], limits: Limits) -> tuple[list[Event], bytes, str]:
    """The octets of messages are compared apart: how they are cut is nobody's promise."""
    machine, octets = ImapMachine(limits), b""
    events: list[Event] = []
    try:
        for piece in pieces:
            for event in machine.feed(piece):
                if isinstance(event, MessageOctets):
                    octets += event.data
                else:
                    events.append(event)
    except ProtocolFault as fault:
        return events, octets, fault.text
    return events, octets, ""


def _command(name: str, parser: Callable[[Cursor], object]) -> Target:
    def run(data: bytes) -> None:
        with suppress(SyntaxProblem):
            parser(_cursor(data))

    return Target(f"imap command {name}", run, _SEEDS.get(name.removeprefix("UID "), (b"", b" INBOX", b" 1:*")))


def _cursor(data: bytes) -> Cursor:
    """Every second line is a literal."""
    parts = data.split(b"\n")
    return Cursor(parts if len(parts) % 2 else [*parts, b""], nesting=_LIMITS.nesting, items=_LIMITS.items)


def _word(parse: Callable[[Cursor], object]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        with suppress(SyntaxProblem):
            parse(_cursor(data))

    return run


def _literal(data: bytes) -> None:
    found = announced_literal(data)
    assert found is None or data[found.at :].endswith(b"}")


def _section(data: bytes) -> None:
    with suppress(SyntaxProblem):
        wanted = section(_cursor(data))
        assert section(_cursor(section_text(wanted))) == wanted


def _url(data: bytes) -> None:
    found = parse_url(data.decode("latin-1"))
    assert found is None or found.uid


def _utf7(data: bytes) -> None:
    with suppress(Invalid):
        assert utf7.encode(utf7.decode(data)) == data


def _scram_server_first(data: bytes) -> None:
    with suppress(Invalid):
        parse_server_first(data)


def _scram_verifier(data: bytes) -> None:
    with suppress(Invalid):
        text = data.decode("latin-1")
        assert str(parse_verifier(text)) == text


def _sasl_encoding(data: bytes) -> None:
    with suppress(Invalid):
        assert encode_challenge(decode_initial(data)) == (b"" if data == b"=" else data)


def _sasl(name: str) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        first, _, rest = data.partition(b"\n")
        exchange = mechanism(name, _OFFER, nonce="server")
        assert exchange is not None
        step = exchange.begin(first)
        if isinstance(step, NeedsVerifier):
            step.answer(parse_verifier(_VERIFIER))
        exchange.respond(rest)

    return run


_SEEDS: dict[str, tuple[bytes, ...]] = {
    "FETCH": (
        b" 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (From To)]<0.100> UID)",
        b" 2 ALL",
        b" 1 BODY[1.2.MIME]",
        b" $ (BINARY.PEEK[1.2]<5.10> BINARY.SIZE[3] PREVIEW (LAZY) MODSEQ EMAILID SAVEDATE)",
        b" 1:* FLAGS (CHANGEDSINCE 5 VANISHED PARTIAL -1:-30)",
        b" 1 BODY[HEADER.FIELDS (\nSubject\n)]",
    ),
    "SEARCH": (
        b' OR (SUBJECT "a" SINCE 1-Feb-2026) NOT 1:5',
        b" CHARSET UTF-8 TEXT x",
        b" RETURN (MIN SAVE PARTIAL -1:-5 RELEVANCY) FUZZY TEXT x UID $ UIDAFTER 5 UIDBEFORE 9 OLDER 5 MODSEQ 1",
        b" EMAILID M1-2 THREADID T1-3 SAVEDON 1-Feb-2026",
    ),
    "SORT": (b" RETURN (PARTIAL 1:5) (REVERSE DATE DISPLAYFROM) UTF-8 ALL", b" (SUBJECT) KOI8-R x"),
    "THREAD": (b" REFERENCES UTF-8 ALL", b' ORDEREDSUBJECT US-ASCII TEXT "a"'),
    "ESEARCH": (b' IN (mailboxes ("a" b) subtree-one c selected) RETURN (COUNT) UNSEEN', b" ALL"),
    "STORE": (b" 1:* (UNCHANGEDSINCE 7) FLAGS (a)", b" 1:* +FLAGS.SILENT (\\Seen a)", b" 1 FLAGS a b"),
    "NOTIFY": (b" SET STATUS (selected (MessageNew (uid) MessageExpunge)) (subtree (a b) (MailboxName))", b" NONE"),
    "SELECT": (b" INBOX (CONDSTORE QRESYNC (7 9 41,43:211 (1,3:4 7,9:10)))",),
    "LIST": (
        b' "" "*"',
        b" a/ %",
        b' (SUBSCRIBED RECURSIVEMATCH) "" (a% "b*") RETURN (CHILDREN STATUS (SIZE) METADATA (/shared/a))',
    ),
    "CREATE": (b" x (USE (\\Drafts))", b' "a b"'),
    "SETACL": (b' INBOX "fred" +lrswi', b" INBOX -anyone c"),
    "LISTRIGHTS": (b" INBOX smith",),
    "SETQUOTA": (b' "" (STORAGE 512)',),
    "GETMETADATA": (b' "" /shared/comment', b" INBOX (MAXSIZE 10 DEPTH infinity) (/private/a /shared/b)"),
    "SETMETADATA": (b' INBOX (/private/a "b" /shared/c NIL)', b" INBOX (/private/a \nb\0c\n)"),
    "LOGIN": (b' a "b"', b" \na\n \nb\n"),
    "ID": (b' ("name" "x" "version" NIL)', b" NIL"),
    "STATUS": (b" INBOX (MESSAGES UNSEEN)",),
    "AUTHENTICATE": (b" PLAIN AGEAYg==",),
}
_DIALOGUE = (
    b"a LOGIN {3}\r\nfoo {3+}\r\nbar\r\nb NOOP\r\n",
    b'b APPEND INBOX (\\Seen) " 1-Feb-2026 10:00:00 +0100" {5+}\r\nhello\r\nc APPEND {5}\r\nINBOX {3}\r\nabc\r\n',
    b"d APPEND x {2000+}\r\n" + b"x" * 2_000 + b"\r\ne NOOP\r\n",
    b'm APPEND x {2+}\r\nhi (\\Seen) "07-Feb-1994 21:52:25 -0800" ~{1+}\r\n\0 UTF8 (~{2+}\r\n\xc3\xa4)\r\nz NOOP\r\n',
    b'n APPEND x CATENATE (URL "/a/;UID=1" TEXT {2+}\r\nhi URL {3+}\r\nabc) {3}\r\nabc\r\nz NOOP\r\n',
    b"o UID REPLACE 5 {1+}\r\nx (a) {3+}\r\nabc\r\np REPLACE * y {1+}\r\nx {1+}\r\ny\r\nz NOOP\r\n",
    b"f SEARCH ((((SEEN))))\r\ng UID FETCH 1:* FLAGS\r\n",
)

TARGETS: tuple[Target, ...] = (
    Target("imap machine before login", _conversation(BEFORE_LOGIN), _DIALOGUE),
    Target("imap machine", _conversation(_LIMITS), _DIALOGUE),
    Target("imap literal", _literal, (b"a {5+}", b"x ~{10}")),
    Target("imap mailbox name", _utf7, (b"&U,BTFw-/&ZeVnLIqe-", b"R&-D")),
    Target("imap astring", _word(Cursor.astring), (b"foo", b'"a\\"b"', b"\nliteral\n")),
    Target("imap list-mailbox", _word(Cursor.list_mailbox), (b"a/%*", b'"x"')),
    Target("imap sequence set", _word(sequence_set), (b"1:*,5", b"*:4")),
    Target("imap flags", _word(flag_list), (b"(\\Seen $Junk)", b"()")),
    Target("imap date", _word(search_date), (b'"1-Feb-1994"', b"1-Feb-1994")),
    Target("imap date-time", _word(date_time), (b'" 7-Feb-1994 22:43:04 -0800"',)),
    Target("imap section", _section, (b"[1.2.HEADER.FIELDS (A B)]", b"[TEXT]")),
    Target("imap url", _url, (b"/Drafts;UIDVALIDITY=3/;UID=20/;section=1.MIME/;PARTIAL=0.5", b";UID=1")),
    Target("imap partial", _word(partial), (b"<0.100>",)),
    *(_command(name, parser) for name, parser in PARSERS.items()),
    *(_command(f"UID {name}", parser) for name, parser in UID_PARSERS.items()),
    Target("sasl base64", _sasl_encoding, (b"AGEAYg==", b"=")),
    *(Target(f"sasl {name}", _sasl(name), (b"\0tim\0pw", b"tim\npw", *_SCRAM)) for name in _OFFER.names),
    Target("scram verifier", _scram_verifier, (_VERIFIER.encode(), b"SCRAM-SHA-256$1:AA==$A:A")),
    Target("scram server-first", _scram_server_first, (b"r=abc,s=c2FsdA==,i=4096", b"m=x,r=,s=,i=0")),
)
