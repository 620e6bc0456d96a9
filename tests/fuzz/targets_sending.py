"""What a server we send to may say: any bytes are replies or a ProtocolFault, whole or in pieces. And what its domain
may say of it.

Covers mailstack.wire.smtp.reply, mailstack.wire.smtp.capability, mailstack.wire.smtp.client,
mailstack.wire.smtp.path and mailstack.formats.mta_sts.
"""

from mailstack.formats.mta_sts import MOST_MAX_AGE_S, parse_policy, parse_records, write_policy
from mailstack.model.errors import Invalid
from mailstack.wire.smtp.capability import parse_capabilities
from mailstack.wire.smtp.client import Answer, SmtpClient
from mailstack.wire.smtp.path import write_path
from mailstack.wire.smtp.reply import ProtocolFault, Reply, ReplyLimits, ReplyParser
from tests.fuzz.target import Target
from tests.support.splitting import splits

LIMITS = ReplyLimits(line_octets=256, lines=8)


def run_reply(data: bytes) -> None:
    outcomes = [_read(pieces) for pieces in splits(data, random_cuts=2)]
    assert outcomes.count(outcomes[0]) == len(outcomes), "the answer depends on the cut"
    for reply in outcomes[0][0]:
        assert 200 <= reply.code <= 599
        outcome = reply.as_outcome()
        assert outcome.text.isprintable()
        assert len(outcome.text) <= 500


def run_capability(data: bytes) -> None:
    found = parse_capabilities(data.decode("utf-8", "replace").split("\n"))
    assert found.size_bytes is None or found.size_bytes > 0
    assert all(word == word.upper() for word in found.auth)


def run_client(data: bytes) -> None:
    client = SmtpClient(LIMITS)
    answers: list[Answer] = []
    try:
        answers += client.feed(data[:64])
        if not client.awaited:
            client.ehlo("us.example")
            answers += client.feed(data[64:])
    except ProtocolFault:
        return
    assert len(answers) + client.awaited <= 2


def run_path(data: bytes) -> None:
    try:
        path = write_path(data.decode("utf-8", "surrogateescape"))
    except Invalid:
        return
    assert path.startswith(b"<")
    assert path.endswith(b">")
    assert not any(octet < 0x20 for octet in path)


def run_policy(data: bytes) -> None:
    try:
        policy = parse_policy(data)
    except Invalid:
        return
    assert 0 <= policy.max_age_s <= MOST_MAX_AGE_S
    assert parse_policy(write_policy(policy)) == policy


def run_record(data: bytes) -> None:
    found = parse_records(data.decode("ascii", "surrogateescape").split("\n"))
    assert found is None or (found.isascii() and found.isalnum() and len(found) <= 32)


def _read(pieces: list[bytes]) -> tuple[list[Reply], bool]:
    parser = ReplyParser(LIMITS)
    replies: list[Reply] = []
    try:
        for piece in pieces:
            replies += parser.feed(piece)
    except ProtocolFault:
        return replies, True
    return replies, parser.fault is not None


TARGETS: tuple[Target, ...] = (
    Target("wire.smtp.reply", run_reply, (b"250-a\r\n250 2.1.5 b\r\n", b"550 5.1.1 no\r\n354 go\r\n", b"220\r\n")),
    Target("wire.smtp.capability", run_capability, (b"x\nSIZE 10\nAUTH PLAIN LOGIN\nSTARTTLS\n8BITMIME",)),
    Target("wire.smtp.client", run_client, (b"220 x\r\n250-x\r\n250 SIZE 5\r\n",)),
    Target("wire.smtp.path", run_path, (b"a@b.example", b'"a b"@[1.2.3.4]', b"\xc3\xbc@x.example")),
    Target(
        "formats.mta_sts.policy",
        run_policy,
        (b"version: STSv1\r\nmode: enforce\nmx: *.a.example\nmax_age:9\n", b"version: STSv1\nmode: none\nmax_age: 1"),
    ),
    Target("formats.mta_sts.record", run_record, (b"v=STSv1; id=1; x=y;\nv=spf1", b"v=STSv1;id=A")),
)
