"""What a mailbox holds, as imaplib sees it."""

import imaplib


def messages_in(client: imaplib.IMAP4, mailbox: str) -> dict[str, bytes]:
    """By subject; no two may have the same. client: logged in."""
    client.select(mailbox, readonly=True)
    _, numbers = client.search(None, "ALL")
    found: dict[str, bytes] = {}
    for number in numbers[0].split():
        _, data = client.fetch(number, "(BODY.PEEK[])")
        assert isinstance(data[0], tuple)
        raw = data[0][1]
        subject = raw.partition(b"Subject: ")[2].split(b"\r\n")[0].decode()
        assert subject not in found
        found[subject] = raw
    return found
