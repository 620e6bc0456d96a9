"""Each refusal as a client hears it, from one whole server behind a proxy, so that each row has an address of its own.

A refusal without a row, or without a reason for having none, fails.
"""

import json
import re
import socket
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from mailstack.cli.explain import command as explain
from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import (
    AlreadyExists,
    AuthenticationFailed,
    Forbidden,
    Invalid,
    LineTooLong,
    NotFound,
    NotOwnAddress,
    QuotaExceeded,
    TooLarge,
    Unsupported,
)
from mailstack.servers.smtp import replies
from mailstack.servers.smtp.errors import REJECTIONS, REPLIES
from mailstack.services.inbound.mail import Reason
from tests.support.dns_server import dns_server_beside
from tests.support.over_sockets import CLIENT_S, unverified
from tests.support.refusals import BANNED, refusals
from tests.support.sandbox import free_base_port, save, wait_for
from tests.support.serving import serving_spec

# One server for all of them.
pytestmark = pytest.mark.xdist_group("refusals")

PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1)
PORTS = {"smtp": 25, "submission": 587}
MX, LISTED = "198.51.100.7", "198.51.100.66"
NAMES = {
    "7.100.51.198.in-addr.arpa": {"PTR": ["mx.customer.test."]},
    "mx.customer.test": {"A": [MX]},
    "customer.test": {"TXT": [f'"v=spf1 ip4:{MX} -all"']},
    "_dmarc.strict.test": {"TXT": ['"v=DMARC1; p=reject"']},
    "_dmarc.apart.test": {"TXT": ['"v=DMARC1; p=quarantine"']},
    "forged.test": {"TXT": ['"v=spf1 -all"']},
    "2.0.0.127.bl.test": {"A": ["127.0.0.2"]},
    "66.100.51.198.bl.test": {"A": ["127.0.0.2"], "TXT": ['"sends spam"']},
}
SILENT = ("silent.test", "_dmarc.silent.test")
SPEC = """\
server:
  hostname: mail.example.com
  workers: 1
  limits: {{message_size: 4MiB, recipients: 2, connections_per_ip: 3, connections_per_account: 2}}
  bans: {{after: 20}}
  proxy_from: [127.0.0.1]
  listeners:
{listeners}
storage: {{path: state}}
tls: {{issuer: self-signed}}
dns: {{resolvers: ["{resolver}"]}}
receiving: {{spf_fail: reject, on_dns_failure: defer}}
spam:
  greylist: {greylist}
  blocklists: [bl.test]
  rules: [{{name: worst, if: {{header: {{X-Worst: {{is: "yes"}}}}}}, points: 50}}]
domains: {{example.com: {{}}}}
accounts:
  alice@example.com: {{password: env/PASSWORD, limits: {{recipients_per_day: 1}}}}
  small@example.com: {{quota: 10KiB}}
  robot@example.com: {{can: [submit]}}
  closed@example.com: {{rules: [{{name: closed, if: {{subject: {{is: refused}}}}, then: {{reject: Closed.}}}}]}}
aliases: {{away@example.com: friend@elsewhere.test}}
lists: {{team@example.com: {{members: [alice@example.com, member@open.test], post: members}}}}
"""


def line(text: str) -> bytes:
    return f"{text}\r\n".encode()


def plain(password: str) -> str:
    return b64encode(f"\0alice@example.com\0{password}".encode()).decode("ascii")


def mail(*, author: str = "x@customer.test", header: str = "", body: str = "hello\r\n") -> bytes:
    return line(f"{header}From: {author}\r\nSubject: refused\r\n\r\n{body}.")


def sender(path: str = "x@customer.test", *parameters: str) -> bytes:
    return line(" ".join((f"MAIL FROM:<{path}>", *parameters)))


def to(path: str = "alice@example.com") -> bytes:
    return line(f"RCPT TO:<{path}>")


DATA = line("DATA")
TO_ALICE = (sender(), to(), DATA)
TO_TEAM = (sender(), to("team@example.com"), DATA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """said: one reply to each, the last of which is the refusal; none: to the greeting. goes_on: how its text does, as
    an expression. before: how many connections do the same first, and stay. early: sent before the greeting."""

    refusal: str
    said: Sequence[bytes] = ()
    goes_on: str = ""
    peer: str = ""
    service: str = "smtp"
    has_tls: bool = False
    before: int = 0
    early: bytes = b""


def row(reply: SmtpReply, *said: bytes, goes_on: str = "", peer: str = "") -> Row:
    return Row(refusal=str(reply), said=said, goes_on=goes_on, peer=peer)


def of_login(reply: SmtpReply, *said: bytes, has_tls: bool = True, before: int = 0) -> Row:
    return Row(refusal=str(reply), said=said, service="submission", has_tls=has_tls, before=before)


LOGIN = line(f"AUTH PLAIN {plain(PASSWORD)}")
LARGE = 5 << 20
SEALED = (
    b"From: x@customer.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n"
    b"--b\r\n\r\n\0\r\n--b--\r\n"
)
SIGNED = "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n"
ROWS: tuple[Row, ...] = (
    row(REJECTIONS[Reason.LOOP], *TO_ALICE, mail(header="Received: from a by b; today\r\n" * 101)),
    row(
        REJECTIONS[Reason.HEADER],
        *TO_ALICE,
        mail(header=f"X-Long: {'x' * 900}\r\n" * 300),
        goes_on=" at most 262144 octets",
    ),
    row(REJECTIONS[Reason.FROM_FIELD], *TO_ALICE, mail(header="From: y@customer.test\r\n")),
    row(REJECTIONS[Reason.DMARC], *TO_ALICE, mail(author="x@strict.test"), peer=MX),
    row(REJECTIONS[Reason.SPF], sender("x@forged.test"), to(), DATA, mail(author="x@forged.test")),
    row(REJECTIONS[Reason.SENDER_UNKNOWN_NOW], sender("x@silent.test"), to(), DATA, mail(author="x@silent.test")),
    row(REJECTIONS[Reason.NOT_FORWARDED], sender(), to("away@example.com"), DATA, mail(author="x@apart.test"), peer=MX),
    row(REJECTIONS[Reason.NO_NOTICE], sender(), to("SRS0=ABCDEFGH=AA=x.test=y@example.com")),
    row(
        REJECTIONS[Reason.BINARY],
        sender("x@customer.test", "BODY=BINARYMIME"),
        to("away@example.com"),
        b"BDAT %d LAST\r\n%b" % (len(SEALED), SEALED),
        peer=MX,
    ),
    row(REJECTIONS[Reason.LISTED], sender(), to(), goes_on=" by bl.test sends spam", peer=LISTED),
    row(REJECTIONS[Reason.LIST_POSTERS], *TO_TEAM, mail(), peer=MX),
    row(REJECTIONS[Reason.LIST_UNPROVEN], *TO_TEAM, mail(author="member@open.test"), peer=MX),
    row(REJECTIONS[Reason.LIST_AUTOMATIC], *TO_TEAM, mail(header="Auto-Submitted: auto-replied\r\n"), peer=MX),
    row(REJECTIONS[Reason.LIST_LEAVING], sender(), to("team-unsubscribe@example.com"), DATA, mail(), peer=MX),
    row(
        REJECTIONS[Reason.SPAM],
        *TO_ALICE,
        mail(header="X-Worst: yes\r\n"),
        goes_on=r" score [0-9.]+; write to postmaster@example\.com if it is none",
        peer=MX,
    ),
    row(
        REJECTIONS[Reason.FILTER],
        sender(),
        to("closed@example.com"),
        DATA,
        mail(),
        goes_on=r" by the recipient's mail filter: Closed\.",
        peer=MX,
    ),
    row(REPLIES[NotFound], sender(), to("nobody@example.com")),
    row(REPLIES[Forbidden], sender(), to("friend@elsewhere.test")),
    row(REPLIES[Forbidden], sender(), to("robot@example.com")),
    row(REPLIES[TooLarge], sender("x@customer.test", f"SIZE={LARGE}")),
    row(REPLIES[TooLarge], sender("x@customer.test", f"SIZE={20 << 10}"), to("small@example.com")),
    row(REPLIES[TooLarge], *TO_ALICE, mail(body=f"{'x' * 900}\r\n" * (LARGE // 900))),
    row(
        REPLIES[QuotaExceeded],
        sender(),
        to("small@example.com"),
        DATA,
        mail(body=f"{'x' * 900}\r\n" * 8),
        sender("x@customer.test", "SIZE=5000"),
        to("small@example.com"),
        peer=MX,
    ),
    row(replies.TOO_MANY_RECIPIENTS, sender(), *(to(f"alice+{n}@example.com") for n in range(3))),
    row(replies.BARE_CR_OR_LF, *TO_ALICE, mail(body="one\ntwo\r\n")),
    row(replies.BARE_CR_OR_LF, *TO_ALICE, mail(body="one\n.\nMAIL FROM:<y@customer.test>\r\n")),
    row(replies.TEXT_LINE_TOO_LONG, *TO_ALICE, mail(body=f"{'x' * (1 << 20)}\r\n")),
    row(replies.REQUIRETLS_NEEDS_TLS, sender("x@customer.test", "REQUIRETLS")),
    row(replies.BAD_REVERSE_PATH, sender("x@@customer.test")),
    row(replies.BAD_FORWARD_PATH, sender(), to("@")),
    row(replies.NEEDS_SMTPUTF8, sender("ü@customer.test")),
    row(replies.NEEDS_SMTPUTF8, sender(), to("ü@example.com")),
    row(replies.NO_VALID_RECIPIENTS, sender(), DATA),
    row(replies.UNKNOWN_PARAMETER, sender("x@customer.test", "PRIORITY=1")),
    row(replies.BAD_SEQUENCE, to()),
    row(replies.SYNTAX, line("MAIL x@customer.test")),
    row(replies.BAD_ARGUMENT, sender("x@customer.test", "SIZE=large")),
    row(replies.BAD_CHUNK, line("BDAT all")),
    row(replies.UNRECOGNISED, line("GET / HTTP/1.1")),
    row(replies.NOT_IMPLEMENTED, line("AUTH PLAIN")),
    row(replies.LINE_TOO_LONG, line(f"NOOP {'x' * 3_000}")),
    row(replies.BARE_LINE_FEED, b"NOOP\n"),
    row(replies.TOO_MANY_ERRORS, *[line("FOO")] * 11),
    of_login(replies.TLS_REQUIRED, LOGIN, has_tls=False),
    of_login(replies.AUTHENTICATION_REQUIRED, sender("alice@example.com")),
    of_login(REPLIES[AuthenticationFailed], line(f"AUTH PLAIN {plain('guessed')}")),
    of_login(REPLIES[NotOwnAddress], LOGIN, sender("boss@example.com")),
    of_login(
        REPLIES[LineTooLong],
        LOGIN,
        sender("alice@example.com"),
        to(),
        DATA,
        mail(author="alice@example.com", header=SIGNED, body=f"--b\r\n\r\n{'x' * 999}\r\n--b--\r\n"),
    ),
    replace(
        of_login(REJECTIONS[Reason.SENDING_LIMIT], LOGIN, sender("alice@example.com"), to("a@x.test"), to("b@x.test")),
        goes_on=r" 1 recipients a day; more from 20\S+Z on",
    ),
    of_login(replies.UNKNOWN_MECHANISM, line("AUTH NTLM")),
    of_login(replies.AUTHENTICATION_CANCELLED, line("AUTH PLAIN"), line("*")),
    of_login(replies.BAD_BASE64, line("AUTH PLAIN !")),
    of_login(replies.TOO_MANY_OF_ACCOUNT, LOGIN, before=2),
    Row(refusal=str(replies.TOO_MANY_CONNECTIONS), before=3),
    Row(refusal=str(replies.TALKED_EARLY), early=line("EHLO spam.test")),
)
GREYLISTED = row(REJECTIONS[Reason.GREYLISTED], sender(), to(), goes_on=" in 3 minutes")
BAD_LINE_FEEDS = row(replies.BARE_LINE_FEED, b"NOOP\n", peer="203.0.113.250")
BANNED_THEN = Row(refusal=BANNED, goes_on=" 2.*Z", peer="203.0.113.250")
NOT_HERE = {
    str(replies.LOCAL_ERROR): "a fault of the server: test_slow_and_full",
    str(replies.TIMED_OUT): "takes five minutes: tests/servers/smtp",
    str(replies.TOO_MANY_TRANSACTIONS): "takes a thousand mails: tests/servers/smtp",
    str(replies.TOO_MUCH_DATA): "takes 64 MiB: tests/servers/smtp",
    str(replies.SHUTTING_DOWN): "the server ends: tests/servers/smtp",
    str(replies.PEER_NOT_ALLOWED): "who comes from this machine is let in to LMTP: tests/servers/smtp",
    str(replies.NO_TLS): "there is a certificate: tests/servers/smtp",
    str(replies.LOGIN_LATER): "takes ten failed logins at the same moment: tests/servers/smtp",
    str(REPLIES[AlreadyExists]): "nothing that a client of SMTP can make",
    str(REPLIES[Unsupported]): "nothing that a client of SMTP can ask for",
    str(REPLIES[Invalid]): "paths are checked before: tests/servers/smtp",
}


@dataclass
class House:
    spec: Path
    resolver: str
    base_port: int
    running: ExitStack
    peers: Iterator[str] = field(default_factory=lambda: (f"203.0.113.{n}" for n in count(1)))

    def write(self, *, greylist: str) -> None:
        listeners = {service: [f"127.0.0.1:{self.base_port + offset}"] for service, offset in PORTS.items()}
        listeners |= {service: [] for service in ("submissions", "imap", "imaps", "managesieve", "http", "https")}
        lines = "\n".join(f"    {service}: {json.dumps(where)}" for service, where in listeners.items())
        save(self.spec, SPEC.format(listeners=lines, resolver=self.resolver, greylist=greylist))

    def last_reply(self, asked: Row, held: ExitStack) -> str:
        """On one line."""
        peer = asked.peer or next(self.peers)
        for _ in range(asked.before):
            self._converse(asked, peer, held)
        return self._converse(asked, peer, held)

    def _converse(self, asked: Row, peer: str, held: ExitStack) -> str:
        where = ("127.0.0.1", self.base_port + PORTS[asked.service])
        connected = held.enter_context(socket.create_connection(where, timeout=CLIENT_S))
        connected.sendall(line(f"PROXY TCP4 {peer} 192.0.2.1 40000 25") + asked.early)
        reply = heard(connected)
        if not asked.said:
            return reply
        said(connected, line("EHLO mx.customer.test"))
        if asked.has_tls:
            said(connected, line("STARTTLS"))
            connected = held.enter_context(unverified().wrap_socket(connected))
            said(connected, line("EHLO mx.customer.test"))
        for octets in asked.said:
            reply = said(connected, octets)
        return reply


def said(connected: socket.socket, octets: bytes) -> str:
    connected.sendall(octets)
    return heard(connected)


def heard(connected: socket.socket) -> str:
    """The last line of the next reply."""
    buffer = b""
    while re.search(rb"(?:^|\n)[0-9]{3}(?: [^\n]*)?\n\Z", buffer) is None:
        octets = connected.recv(65_536)
        assert octets, f"the connection ended after {buffer!r}"
        buffer += octets
    return buffer.decode("ascii").splitlines()[-1]


def is_as_expected(asked: Row, reply: str) -> bool:
    return re.fullmatch(rf"{re.escape(asked.refusal)}{asked.goes_on}(?: \(trace [0-9a-f]{{16}}\))?", reply) is not None


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    spec = tmp_path_factory.mktemp("refusals") / "mailstack.yaml"
    with dns_server_beside(NAMES) as resolver, ExitStack() as running:
        resolver.failing.update(SILENT)
        made = House(spec=spec, resolver=resolver.endpoint, base_port=free_base_port(), running=running)
        made.write(greylist="off")
        running.enter_context(serving_spec(spec, PASSWORD=CHEAP.hash(PASSWORD)))
        yield made


def test_every_refusal_has_a_row_or_a_reason_for_none() -> None:
    shown = {asked.refusal for asked in (*ROWS, GREYLISTED, BANNED_THEN)}
    assert shown.isdisjoint(NOT_HERE)
    assert shown | NOT_HERE.keys() == refusals()
    assert {str(reply) for reply in REJECTIONS.values()} <= shown


@pytest.mark.slow
@pytest.mark.parametrize("asked", ROWS, ids=lambda asked: asked.refusal)
def test_what_a_client_hears(house: House, asked: Row) -> None:
    with ExitStack() as held:
        reply = house.last_reply(asked, held)
    assert is_as_expected(asked, reply), reply


def explained() -> list[Row]:
    """A file says nothing of the parameters of MAIL, nor of a login."""
    found = {str(reply) for reply in (*REJECTIONS.values(), REPLIES[NotFound], REPLIES[Forbidden])}
    return [
        asked for asked in ROWS if asked.refusal in found and asked.service == "smtp" and b"> " not in asked.said[0]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("asked", explained(), ids=lambda asked: asked.refusal)
def test_explain_says_what_the_server_says(house: House, asked: Row) -> None:
    commands = b"".join(octets for octets in asked.said if octets[:4] in (b"MAIL", b"RCPT"))
    path, *recipients = re.findall("<(.*)>", commands.decode())
    content = asked.said[-1][:-3] if DATA in asked.said else mail()
    options = ["--from", asked.peer or MX, "--helo", "mx.customer.test", "--mail-from", path]
    options += [option for recipient in recipients for option in ("--rcpt", recipient)]
    result = CliRunner().invoke(
        explain, [str(house.spec), "-", *options, "--resolver", house.resolver, "--format", "json"], input=content
    )
    assert result.exit_code == 1, result.output
    assert is_as_expected(asked, json.loads(result.stdout)["reply"]), result.stdout


@pytest.mark.slow
def test_who_goes_on_with_bare_line_feeds_is_banned(house: House) -> None:
    def is_banned() -> bool:
        with ExitStack() as held:
            reply = house.last_reply(BANNED_THEN, held)
            if is_as_expected(BANNED_THEN, reply):
                return True
        with ExitStack() as held:
            assert is_as_expected(BAD_LINE_FEEDS, house.last_reply(BAD_LINE_FEEDS, held))
        return False

    wait_for(is_banned, what="the ban")


@pytest.mark.slow
def test_a_stranger_is_asked_to_come_again(house: House) -> None:
    """Last, for nearly all other rows would be asked first."""
    house.write(greylist="suspicious")

    def is_greylisted() -> bool:
        with ExitStack() as held:
            return is_as_expected(GREYLISTED, house.last_reply(GREYLISTED, held))

    wait_for(is_greylisted, what="the reload")
