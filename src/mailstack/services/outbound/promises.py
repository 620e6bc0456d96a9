"""What senders ask of TLS on the way: REQUIRETLS, without which their mail goes nowhere, and `TLS-Required: No`.

Pure. What can be had no other way is told to the sender at once, never sent as something less. RFC 8689 §3, §4.2, §5.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto

from mailstack.formats.headers import every, header_end, scan_fields, unfold
from mailstack.model.delivery import NULL_PATH, Deferred, Failed, NextHop, Outcome, SmtpReply, TlsMode
from mailstack.model.handling import Handling
from mailstack.model.message import RawMessage
from mailstack.model.tls_policy import Dane, Required, Sts, TlsFailure, TlsPolicy
from mailstack.ports.resolver import Answer, MailExchanger


class TlsWish(Enum):
    """REQUIRED: nothing but servers that are verified and promise the same. PREFERRED: these, if there are any; what
    it is for must arrive in any case. OPTIONAL: policies of others do not stop it."""

    UNSAID = auto()
    REQUIRED = auto()
    PREFERRED = auto()
    OPTIONAL = auto()


TERMS: Mapping[TlsWish, tuple[TlsWish, ...]] = {
    TlsWish.UNSAID: (TlsWish.UNSAID,),
    TlsWish.REQUIRED: (TlsWish.REQUIRED,),
    TlsWish.PREFERRED: (TlsWish.REQUIRED, TlsWish.UNSAID),
    # RFC 8689 §4.2.2: policies are followed as far as that leads somewhere.
    TlsWish.OPTIONAL: (TlsWish.UNSAID, TlsWish.OPTIONAL),
}
"""What each asks of all hosts in turn, and what of the same hosts after that where TLS was all that was wanting."""


def tls_wish(handling: Handling, raw: RawMessage, *, reverse_path: str) -> TlsWish:
    if handling.requires_tls:
        # RFC 8689 §4.1: the header field does not count then. §5: a notice is not lost for want of REQUIRETLS.
        return TlsWish.PREFERRED if reverse_path == NULL_PATH else TlsWish.REQUIRED
    if b"tls-required" not in raw[: header_end(raw)].lower():
        return TlsWish.UNSAID
    said = [unfold(value).strip().lower() for value in every(scan_fields(raw), b"tls-required")]
    # RFC 8689 §3: there is one, and "No" is all that it says.
    return TlsWish.OPTIONAL if said == [b"no"] else TlsWish.UNSAID


def strict_policy(policy: TlsPolicy, domain: str, exchangers: Answer[MailExchanger] | None) -> TlsPolicy | Failed:
    """What REQUIRETLS makes of a policy that was found; why it comes to nothing where nobody vouches for the host's
    name. exchangers: as of mx.Hosts."""
    match policy:
        case Dane() | Sts(is_testing=False):
            return policy
        # Without MX records the name is the recipient's own, and needs nobody's word.
        case _ if exchangers is None or exchangers.is_secure or not exchangers.values:
            return Required(is_verified=True)
        case Sts():
            return replace(policy, is_testing=False)
        case _:
            # RFC 8689 §4.2.1: whoever can forge where mail goes can name a host with a certificate of its own.
            return _refused(f"neither DNSSEC nor MTA-STS vouches for the mail servers of {domain}")


def unprotected(relay: NextHop) -> Failed | None:
    """Why a relay is none for mail with REQUIRETLS."""
    # RFC 8689 §4.4: what is delivered on this machine is not sent on, to one's own mailboxes or to others'.
    if relay.is_mailbox_here or relay.tls in (TlsMode.STARTTLS, TlsMode.IMPLICIT):
        return None
    return _refused("the relay it goes by is set up without verified TLS")


def is_for_tls(outcome: Outcome) -> bool:
    """Is it no more than TLS that was wanting, by what the mail asks or by the domain's policy."""
    match outcome:
        case Deferred():
            # Without a word on TLS, the host was passed over before it was tried: its policy is not to be had.
            return not outcome.host and (outcome.tls is None or outcome.tls.failure is not None)
        case Failed():
            return outcome.reply.status in (NO_TLS, NO_REQUIRETLS) and (outcome.is_turned_away or not outcome.host)
        case _:
            return False


def as_promised(outcome: Outcome) -> Outcome:
    """RFC 8689 §4.2.1: when the last host cannot protect mail with REQUIRETLS, its sender hears of it, and nobody
    waits."""
    if not isinstance(outcome, Deferred) or outcome.host or outcome.tls is None:
        return outcome
    # What DNS does not say now, it may say later.
    if outcome.tls.failure in (None, TlsFailure.DNSSEC_INVALID):
        return outcome
    return replace(_refused(outcome.reply.text), tls=outcome.tls, source=outcome.source)


def _refused(detail: str) -> Failed:
    return Failed(reply=SmtpReply(code=550, status=NO_TLS, text=f"the sender requires TLS: {detail}"), host="")


# RFC 8689 §4.2.1: encryption needed; and REQUIRETLS support required, which the client finds.
NO_TLS, NO_REQUIRETLS = "5.7.10", "5.7.30"
