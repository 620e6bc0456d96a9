"""Who a mail is from, and how far that is proven: anybody may write any From."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from mailstack.model.networks import is_near, subscriber_of
from mailstack.model.verdict import DmarcResult, SpfResult
from mailstack.spam.sender import Sender


class Standing(Enum):
    """Of the address that stands in From. FORGED: its domain disowns the mail, or has DNS say who sends for it and this
    is somebody else."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    FORGED = "forged"


class SubjectKind(Enum):
    """From what says most of a mail to what says least. SIGNER: a domain whose signature passed, and which has nothing
    to do with that of From."""

    ADDRESS = "address"
    DOMAIN = "domain"
    SIGNER = "signer"
    HOST = "host"
    NETWORK = "network"


Subject = tuple[SubjectKind, str]


@dataclass(frozen=True, kw_only=True)
class Correspondent:
    """author: the key of the first address of From, "" without one. sender: None where nobody looked. peer_host: who
    brought it, "" where that is not known any more."""

    author: str
    sender: Sender | None
    peer_host: str = ""

    @cached_property
    def standing(self) -> Standing:
        domain = self.author.rpartition("@")[2]
        if self.sender is None or not domain:
            return Standing.UNPROVEN
        sender = self.sender
        has_spf = sender.spf is SpfResult.PASS and speaks_for(sender.mail_from_domain, domain)
        match sender.dmarc:
            case DmarcResult.PASS:
                return Standing.PROVEN
            case DmarcResult.FAIL:
                return Standing.FORGED
        if has_spf or speaks_for(sender.verified_domain, domain):
            return Standing.PROVEN
        disowns = sender.spf in (SpfResult.FAIL, SpfResult.SOFTFAIL) and speaks_for(sender.mail_from_domain, domain)
        return Standing.FORGED if disowns else Standing.UNPROVEN

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """What others' experience with the mail's sender can be looked up by, what says most first."""
        if self.sender is None:
            return ()
        is_proven, domain = self.standing is Standing.PROVEN, self.author.rpartition("@")[2]
        signer = self.sender.verified_domain
        owner = signer if speaks_for(signer, domain) else domain
        found = (
            (SubjectKind.ADDRESS, self.author if is_proven else ""),
            (SubjectKind.DOMAIN, owner if is_proven else ""),
            (SubjectKind.SIGNER, "" if is_proven else signer),
            # A gateway of our own brings whatever there is.
            (SubjectKind.HOST, "" if is_near(self.peer_host) else subscriber_of(self.peer_host)),
            (SubjectKind.NETWORK, "" if is_near(self.peer_host) else self.sender.network),
        )
        return tuple((kind, text) for kind, text in found if text)


def speaks_for(domain: str, other: str) -> bool:
    """Is it the same, or above it. Never the other way round: under many a domain, names are anybody's."""
    return bool(domain) and f".{other}".endswith(f".{domain.lower()}")
