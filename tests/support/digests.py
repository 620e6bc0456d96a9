"""Message digests made by hand, for tests of what stores and lists them; the real ones come from formats.digest."""

from mailstack.model.instant import Instant
from mailstack.model.message import MessageDigest

HEADER_LIMIT = 1_000


def digest_of(
    raw: bytes, *, subject: str = "A subject", message_id: str = "", references: tuple[str, ...] = ()
) -> MessageDigest:
    """Of about the size that a real one has for the same message."""
    header = raw[: raw.find(b"\r\n\r\n") + 2][:HEADER_LIMIT]
    return MessageDigest(
        envelope=b'("Mon, 22 Nov 2026 20:37:32 +0000" "' + subject.encode() + b'" (("Bob" NIL "bob" "x.example")))',
        body=b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 3000 40)',
        body_structure=b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 3000 40 NIL NIL NIL NIL)',
        parts=bytes(range(40)),
        header_block=header,
        preview="The first words of the text, which a list of messages shows below the subject.",
        subject=subject,
        base_subject=subject.removeprefix("Re: "),
        from_="Bob bob@x.example",
        to="Alice alice@example.com",
        cc="",
        message_id=message_id,
        references=references,
        sent_at=Instant(1_795_000_000_000),
        has_attachment=False,
    )
