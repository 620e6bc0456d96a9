"""What LMTP does otherwise: one reply for each recipient, each of them true on its own, and no stranger as a peer.

A recipient's 250 says that its copy is durable; the sender keeps the mail for the others only. RFC 2033 §4.2, §4.3.
"""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address

from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import DomainError
from mailstack.servers.smtp.connection import SmtpConnection
from mailstack.servers.smtp.content import Content
from mailstack.servers.smtp.errors import refusal_for
from mailstack.servers.smtp.replies import FramingLost, Refused
from mailstack.servers.smtp.transaction import Answer, Transaction
from mailstack.services.inbound.mail import Defer, InboundMail, Reject
from mailstack.services.inbound.pipeline import Phase

AT_ONCE = 20
"""Copies that are stored at a time: those of one moment share a write to the disk."""


def is_local(peer_host: str) -> bool:
    """Whoever else connects could bring mail that nobody has checked."""
    try:
        return ip_address(peer_host).is_loopback
    except ValueError:
        return False


async def take_over_each(
    connection: SmtpConnection, transaction: Transaction, mail: InboundMail, content: Callable[[], Content]
) -> None:
    """Says the replies itself. content: raises what was wrong with it, which every recipient hears."""
    try:
        received = content()
    except FramingLost:
        raise
    except (Refused, DomainError) as fault:
        answers = [connection.answer_to(fault)] * len(mail.recipients)
    else:
        complete = mail.holding(received.raw, is_8bit=received.is_8bit, received_at=connection.service.clock())
        transaction.examine(complete)
        answers = await _answers(connection, complete)
    transaction.recipients_answered(answers)
    replies = [connection.traced(answer.reply) for answer in answers]
    transaction.finish()
    connection.tell_of_what_is_over()
    for reply in replies:
        await connection.say(reply)


async def _answers(connection: SmtpConnection, mail: InboundMail) -> list[Answer]:
    """In the order of the recipients."""
    answers: list[Answer] = []
    for at in range(0, len(mail.recipients), AT_ONCE):
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_answer(connection, mail.to((recipient,))))
                for recipient in mail.recipients[at : at + AT_ONCE]
            ]
        answers += [task.result() for task in tasks]
    return answers


async def _answer(connection: SmtpConnection, mail: InboundMail) -> Answer:
    try:
        decision = await connection.service.inbound.run(Phase.HANDED_OVER, mail)
    except Exception as fault:  # noqa: BLE001  # logged by answer_to; the other recipients have their own replies
        return connection.answer_to(fault)
    if isinstance(decision, Reject | Defer):
        return connection.answer_to(refusal_for(decision))
    return Answer(reply=SmtpReply(code=250, status="2.1.5", text=f"OK {mail.trace_id}"))
