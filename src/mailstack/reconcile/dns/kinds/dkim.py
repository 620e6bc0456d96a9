"""The public halves of signing keys. RFC 6376 §3.6.1, RFC 8463 §4."""

from mailstack.model.resource import DkimKeyBody
from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.reconcile.plan import KNOWN_AFTER_APPLY


def dkim_record(key: DkimKeyBody) -> RecordSet:
    """A public key that apply has yet to make is ""."""
    key_type = "ed25519" if key.algorithm == "ed25519" else "rsa"
    value = f"v=DKIM1; k={key_type}; p={key.public_key or KNOWN_AFTER_APPLY}"
    return text_record(f"{key.selector}._domainkey.{key.domain}", value)
