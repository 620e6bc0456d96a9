"""A message that lies in a mailbox is looked at as it was when it came."""

import pytest

from mailstack.formats.authres import write_results
from mailstack.model.instant import Instant
from mailstack.services.inbound.trace import Hop, received_field, return_path_field
from mailstack.services.spam.sender import sender_of
from mailstack.services.spam.stored import examine_stored
from mailstack.spam.features import features_of
from tests.support.evidence import checked

HOSTNAME = "mx.example.com"
NOW = Instant(1_800_000_000_000)
CAME = b"Received: from a by b\r\nFrom: Ann <a@b.test>\r\nSubject: x\r\n\r\nx\r\n"
HOP = Hop(
    hostname=HOSTNAME,
    ehlo_domain="mail.b.test",
    peer_host="192.0.2.1",
    protocol="ESMTPS",
    trace_id="t1",
    received_at=Instant(1_700_000_000_000),
    peer_name="mail.b.test",
)


def test_it_is_as_it_came_with_what_was_found_then() -> None:
    found = checked()
    results = write_results(HOSTNAME, found, peer_host=HOP.peer_host, mail_from="a@b.test")
    ours = return_path_field("a@b.test") + b"X-Spam-Score: 9.0\r\n" + results + received_field(HOP, recipient=None)
    mail = examine_stored(ours + CAME, HOSTNAME, now=NOW)
    sender = sender_of(
        found,
        peer_host="192.0.2.1",
        peer_name="mail.b.test",
        ehlo_domain="mail.b.test",
        protocol="ESMTPS",
        reverse_path="a@b.test",
    )
    assert (mail.raw, mail.sender, mail.reverse_path) == (CAME, sender, "a@b.test")
    assert (mail.peer_host, mail.ehlo_domain, mail.received_at) == ("192.0.2.1", "mail.b.test", HOP.received_at)
    assert mail.features == features_of(CAME, sender)
    assert mail.authentication is not None
    assert mail.authentication.dmarc.result == found.dmarc.result
    assert mail.author is not None


@pytest.mark.parametrize("raw", [CAME, b"Subject: x\r\n\r\n", b"\r\n"])
def test_of_any_other_nothing_is_known(raw: bytes) -> None:
    mail = examine_stored(raw, "another.example.com", now=NOW)
    assert (mail.raw, mail.sender, mail.authentication) == (raw, None, None)
    assert (mail.peer_host, mail.reverse_path, mail.received_at) == ("", "", NOW)


def test_of_one_that_came_elsewhere_the_last_hop_has_the_time() -> None:
    mail = examine_stored(received_field(HOP, recipient=None) + CAME, "another.example.com", now=NOW)
    assert (mail.sender, mail.received_at) == (None, HOP.received_at)
