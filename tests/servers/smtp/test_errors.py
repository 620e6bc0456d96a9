"""Every domain error has its reply, and replies are well-formed. RFC 5321 §4.2, RFC 3463 §2."""

import re

import pytest

from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import DomainError
from mailstack.servers.smtp import replies
from mailstack.servers.smtp.errors import REJECTIONS, REPLIES, reply_for
from mailstack.servers.smtp.replies import encode, encode_lines, with_trace
from mailstack.services.inbound.mail import Reason


def all_errors(error: type[DomainError] = DomainError) -> set[type[DomainError]]:
    return {error}.union(*(all_errors(child) for child in error.__subclasses__())) - {DomainError}


def test_every_domain_error_has_a_reply() -> None:
    assert all_errors() == set(REPLIES)


@pytest.mark.parametrize("error", sorted(all_errors(), key=str))
def test_details_stay_inside(error: type[DomainError]) -> None:
    assert "secret" not in str(reply_for(error("secret details")))


def test_every_rejection_has_a_reply() -> None:
    assert set(Reason) == set(REJECTIONS)


OWN = [reply for reply in vars(replies).values() if isinstance(reply, SmtpReply)]


@pytest.mark.parametrize("reply", [*OWN, *REPLIES.values(), *REJECTIONS.values()], ids=str)
def test_replies_have_a_status_of_their_class_and_fit_a_line(reply: SmtpReply) -> None:
    line = encode(reply)
    assert re.fullmatch(rb"\d{3} [ -~]+\r\n", line)
    assert len(line) <= 512  # RFC 5321 §4.5.3.1.5
    # RFC 2034 §4: the class of the status is that of the code; 334 and 354 have none.
    assert reply.status.startswith(f"{reply.code // 100}.") or reply.code // 100 == 3


def test_several_lines_have_hyphens_but_the_last() -> None:
    assert encode_lines(250, ["a", "b", "c"]) == b"250-a\r\n250-b\r\n250 c\r\n"


def test_a_text_of_several_lines_has_the_status_on_each() -> None:
    """RFC 5429 §2.5."""
    reply = SmtpReply(code=550, status="5.7.1", text="Refused:\nNo,\nnever.")
    assert encode(with_trace(reply, "t1")) == b"550-5.7.1 Refused:\r\n550-5.7.1 No,\r\n550 5.7.1 never. (trace t1)\r\n"
