"""Names of stored things. All are opaque outside the store, and none is ever used again for another thing."""

from typing import NewType

AccountId = NewType("AccountId", str)
"""16 lower-case hexadecimal digits, random."""
MailboxId = NewType("MailboxId", int)
"""Counts up within one account."""
MessageId = NewType("MessageId", int)
"""Counts up within one account; not the Message-ID field."""
EmailId = NewType("EmailId", int)
"""The MessageId that brought the bytes: copies of a message within one account share it."""
ThreadId = NewType("ThreadId", int)
BlobId = NewType("BlobId", str)
"""SHA-256 of the bytes, 64 lower-case hexadecimal digits."""
Uid = NewType("Uid", int)
"""RFC 9051 §2.3.1.1: ascending within one mailbox, 1 to 2**32-1."""
ModSeq = NewType("ModSeq", int)
"""One counter per account; RFC 7162 §3.1: at least 1, below 2**63."""
MailId = NewType("MailId", int)
"""One mail in the outbound queue, whatever its number of recipients."""
QueueItemId = NewType("QueueItemId", int)
"""One recipient of one mail in the outbound queue."""
Generation = NewType("Generation", int)
"""What one apply wrote; 0 is a server that nothing was applied to."""
ScriptId = NewType("ScriptId", str)
"""16 lower-case hexadecimal digits, random."""
TokenId = NewType("TokenId", str)
"""Ten letters and digits, random; "" stands for the machine's own shell, where a token's maker is meant."""
SubmissionId = NewType("SubmissionId", str)
"""S and 16 lower-case hexadecimal digits, random."""
AppPasswordId = NewType("AppPasswordId", str)
"""Eight letters and digits, random; it says nothing of the secret."""
PushId = NewType("PushId", str)
"""16 lower-case hexadecimal digits, random."""
