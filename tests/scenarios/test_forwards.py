"""Two whole servers, one of which sends mail on to the other: what the next one sees of it, and how failures come back.

The sender's domain lets nobody but the first server's client send, and has all else refused.
"""

import email
import imaplib
import smtplib
from email.message import Message
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest

from tests.support.dns_server import dns_server_beside
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import Sandbox, running_sandbox, wait_for

pytestmark = pytest.mark.slow

STRICT = {"_dmarc.them.test": {"TXT": ['"v=DMARC1; p=reject"']}}
AT_FIRST = {"them.test": {"TXT": ['"v=spf1 ip4:127.0.0.1 -all"']}, **STRICT}
AT_NEXT = {
    "them.test": {"TXT": ['"v=spf1 -all"']},
    "example.com": {"TXT": ['"v=spf1 ip4:127.0.0.1 -all"']},
    **STRICT,
}
FIRST = """\
server: {{hostname: mail.example.com, workers: 1}}
domains: {{example.com: {{dkim: {{algorithms: [rsa2048]}}}}}}
accounts:
  bob@example.com: {{forward: bob@else.test}}
  gone@example.com: {{forward: {{to: nobody@else.test, keep: false}}}}
dns: {{resolvers: ["{resolver}"]}}
receiving: {{trusted_peers: [192.0.2.1]}}
"""
NEXT = """\
server: {{hostname: mx.else.test, workers: 1}}
domains: {{else.test: {{}}, them.test: {{}}}}
accounts: {{bob@else.test: {{}}, alice@them.test: {{}}}}
dns: {{resolvers: ["{resolver}"]}}
receiving: {{trusted_peers: [192.0.2.1], trusted_sealers: [example.com]}}
"""


def send(sandbox: Sandbox, recipient: str) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.port("smtp"), "client.test", timeout=CLIENT_S) as client:
        text = f"From: Alice <alice@them.test>\r\nTo: {recipient}\r\nSubject: hello\r\n\r\ntext\r\n"
        client.sendmail("alice@them.test", [recipient], text)


def inbox(sandbox: Sandbox, login: str) -> list[Message]:
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap"), timeout=CLIENT_S) as client:
        client.login(login, "pw")
        client.select("INBOX")
        _, found = client.fetch("1:*", "(BODY.PEEK[])")
        return [email.message_from_bytes(each[1]) for each in found if isinstance(each, tuple)]


def key_records(zones: Path) -> dict[str, dict[str, list[str]]]:
    """What the first server publishes of its keys."""
    wait_for((zones / "example.com.zone").exists, what="the zone file is written")
    zone = dns.zone.from_file(str(zones / "example.com.zone"), origin="example.com")
    return {
        f"{name}.example.com": {"TXT": [data.to_text() for data in records]}
        for name, records in zone.iterate_rdatasets(dns.rdatatype.TXT)
        if str(name).endswith("_domainkey")
    }


def test_what_is_sent_on_passes_at_the_next_server_and_what_fails_comes_back(tmp_path: Path) -> None:
    with dns_server_beside(AT_FIRST) as of_first, dns_server_beside(AT_NEXT) as of_next:
        first, following = tmp_path / "first.yaml", tmp_path / "next.yaml"
        first.write_text(FIRST.format(resolver=of_first.endpoint))
        following.write_text(NEXT.format(resolver=of_next.endpoint))
        with (
            running_sandbox(following, tmp_path / "next", "--passwords", "pw") as far,
            running_sandbox(
                first, tmp_path / "first", "--passwords", "pw", "--outbound", f"127.0.0.1:{far.port('smtp')}"
            ) as near,
        ):
            of_next.names.update(key_records(near.state / "dns"))
            send(near, "bob@example.com")
            wait_for(lambda: inbox(far, "bob@else.test"), what="the copy that was sent on")
            (copy,) = inbox(far, "bob@else.test")
            assert copy["Return-Path"].startswith("<SRS0=")
            assert copy["Return-Path"].endswith("=them.test=alice@example.com>")
            results = copy.get_all("Authentication-Results", [])
            assert len(results) == 2  # the first server's own stays below
            for found in ("spf=pass smtp.mailfrom", "arc=pass", "dmarc=fail"):
                assert found in results[0]
            assert copy["Delivered-To"] == "bob@example.com"
            assert [kept["Delivered-To"] for kept in inbox(near, "bob@example.com")] == [None]
            send(near, "gone@example.com")
            wait_for(lambda: inbox(far, "alice@them.test"), what="the notice to its sender")
            (notice,) = inbox(far, "alice@them.test")
            assert notice["Return-Path"] == "<>"
            assert notice["To"] == "<alice@them.test>"
            assert "nobody@else.test" in notice.as_string()
            assert inbox(near, "gone@example.com") == []
