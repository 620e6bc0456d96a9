"""A backup mail exchanger over a real connection: known recipients are kept for the primary. RFC 5321 §3.6.2, §5.1."""

from tests.support.smtp_world import ALICE, SmtpWorld, serving

OPEN = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 ENHANCEDSTATUSCODES
    C: MAIL FROM:<x@y.example>
    S: 250 2.1.0 Sender OK
"""


async def test_known_recipients_are_queued_as_written_and_others_are_refused(world: SmtpWorld) -> None:
    world.is_backup = True
    async with serving(world):
        client = await world.connect()
        await client.play(OPEN)
        await client.play("""
            C: RCPT TO:<nobody@example.com>
            S: 550 5.1.1 No such recipient here
            C: RCPT TO:<x@elsewhere.example>
            S: 550 5.7.1 ...
            C: RCPT TO:<Alice+tag@example.com>
            S: 250 2.1.5 Recipient OK
            C: RCPT TO:<both@example.com>
            S: 250 2.1.5 Recipient OK
            C: RCPT TO:<postmaster>
            S: 250 2.1.5 Recipient OK
            C: DATA
            S: 354 ...
            C: x
            C: .
            S: 250 2.0.0 OK ...
        """)
        await client.close()
    assert world.inbox(ALICE) == []
    (mail,) = world.queue.mails
    assert mail.recipients == ("Alice+tag@example.com", "both@example.com", "admin@example.com")
    assert bytes(mail.raw).startswith(b"Received: ")


async def test_binary_mail_is_kept_as_it_is_for_a_primary_that_may_take_it(world: SmtpWorld) -> None:
    world.is_backup = True
    message = b"Content-Transfer-Encoding: binary\r\n\r\n\0\n"
    async with serving(world):
        client = await world.connect()
        await client.play(OPEN.replace("<x@y.example>", "<x@y.example> BODY=BINARYMIME"))
        await client.play("C: RCPT TO:<alice@example.com>\nS: 250 2.1.5 ...")
        await client.send(b"BDAT %d LAST\r\n%b" % (len(message), message))
        await client.play("S: 250 2.0.0 ...")
        await client.close()
    (mail,) = world.queue.mails
    assert mail.handling.is_binary
    assert bytes(mail.raw).endswith(message)
