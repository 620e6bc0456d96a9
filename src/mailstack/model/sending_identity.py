"""Whom an account writes as, and how: what a mail program puts into mail of its. RFC 8621 §6."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.model.header_value import EmailAddress

_DIGITS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingIdentity:
    """email: as its maker spelt it. name: None for that of the account. reply_to, bcc: None for none."""

    identity_id: str
    email: str
    name: str | None
    reply_to: Sequence[EmailAddress] | None = None
    bcc: Sequence[EmailAddress] | None = None
    text_signature: str = ""
    html_signature: str = ""

    @property
    def is_given(self) -> bool:
        """It is there with its address, and goes with it."""
        return self.identity_id == given_identity_id(self.email)

    @property
    def octets(self) -> int:
        addresses = [*(self.reply_to or ()), *(self.bcc or ())]
        texts = (self.email, self.name or "", self.text_signature, self.html_signature)
        return sum(len(text.encode()) for text in (*texts, *((each.name or "") + each.email for each in addresses)))


def given_identity_id(address_key: str) -> str:
    # RFC 8620 §1.2: no id can hold an address as it is, and the longest is shorter than some of them are.
    return f"I{hashlib.sha256(address_key.encode()).hexdigest()[:_DIGITS]}"
