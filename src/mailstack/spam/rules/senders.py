"""Rules about who brings a mail, and whether the author's domain stands for it."""

import re

from mailstack.model.verdict import (
    Authentication,
    DkimResult,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
    IprevResult,
    SpfResult,
)
from mailstack.spam.correspondent import speaks_for
from mailstack.spam.rules.evidence import Evidence
from mailstack.spam.rules.rule import Rule

_LOCAL = frozenset({"localhost", "localdomain", "local", "lan", "home", "internal", "invalid", "workgroup"})
# Four numbers of the address in its own name, as providers name what they have not given to anybody by name.
_APART = r"[-.x_]"


def has_dmarc_pass(mail: Evidence) -> bool:
    return mail.checked is not None and mail.checked.dmarc.result is DmarcResult.PASS


def fails_where_refusal_is_asked(mail: Evidence) -> str:
    return _failing(mail, DmarcPolicy.REJECT)


def fails_where_junk_is_asked(mail: Evidence) -> str:
    return _failing(mail, DmarcPolicy.QUARANTINE)


def fails_where_nothing_is_asked(mail: Evidence) -> str:
    return _failing(mail, DmarcPolicy.NONE)


def says_to_be_ours(mail: Evidence) -> str:
    """Not of lists: they bring our own people's mail back, changed."""
    is_ours = mail.author_domain in mail.ours.domains
    if not is_ours or mail.checked is None or mail.is_proven or mail.is_list:
        return ""
    return mail.author_domain if not _is_temporary(mail.checked.dmarc) else ""


def fails_spf(mail: Evidence) -> str:
    return _spf(mail, SpfResult.FAIL)


def softly_fails_spf(mail: Evidence) -> str:
    return _spf(mail, SpfResult.SOFTFAIL)


def has_nobody_to_vouch(mail: Evidence) -> bool:
    known = mail.checked
    if known is None or not mail.reverse_path or _is_temporary(known.dmarc):
        return False
    results = {known.mail_from.result, known.helo.result}
    signed = {one.result for one in known.dkim}
    later = SpfResult.TEMPERROR in results or DkimResult.TEMPERROR in signed
    return SpfResult.PASS not in results and DkimResult.PASS not in signed and not later


def has_a_broken_signature(mail: Evidence) -> str:
    """Of the author's own domain; lists break them."""
    known = mail.checked
    if known is None or mail.is_list or any(one.result is DkimResult.PASS for one in known.dkim):
        return ""
    own = [
        one.domain for one in known.dkim if one.result is DkimResult.FAIL and speaks_for(one.domain, mail.author_domain)
    ]
    return own[0] if own else ""


def greets_as_us(mail: Evidence) -> str:
    name = mail.ehlo_domain.lower().rstrip(".")
    known = mail.checked
    if known is None or name not in {mail.ours.hostname, *mail.ours.domains} - {""}:
        return ""
    is_proven = known.helo.result is SpfResult.PASS or known.iprev.name.lower() == name
    return "" if is_proven else name


def greets_as_local(mail: Evidence) -> str:
    name = mail.ehlo_domain.lower().rstrip(".")
    return name if _looked_at(mail) and name.rpartition(".")[2] in _LOCAL else ""


def greets_without_a_name(mail: Evidence) -> str:
    # RFC 5321 §4.1.1.1: a name with its domain, or else an address in brackets.
    name = mail.ehlo_domain
    if not _looked_at(mail) or name.startswith("["):
        return ""
    return name if "." not in name.rstrip(".") or name.replace(".", "").isdigit() else ""


def greets_by_address(mail: Evidence) -> bool:
    return _looked_at(mail) and mail.ehlo_domain.startswith("[")


def has_no_host_name(mail: Evidence) -> bool:
    known = mail.checked
    return known is not None and known.iprev.result in (IprevResult.FAIL, IprevResult.PERMERROR)


def has_a_numbered_host_name(mail: Evidence) -> str:
    known = mail.checked
    name = known.iprev.name if known is not None else ""
    numbers = mail.peer_host.split(".")
    if not name or len(numbers) != 4 or has_dmarc_pass(mail):
        return ""
    for order in (numbers, numbers[::-1]):
        if re.search(rf"(?<!\d)0*{f'{_APART}0*'.join(map(re.escape, order))}(?!\d)", name):
            return name
    return ""


def has_no_real_return_path(mail: Evidence) -> str:
    # RFC 5321 §4.1.2: Mailbox = Local-part "@" ( Domain / address-literal ).
    domain = mail.reverse_path.rpartition("@")[2]
    return mail.reverse_path if mail.reverse_path and ("." not in domain or domain.rpartition(".")[2] in _LOCAL) else ""


def _looked_at(mail: Evidence) -> bool:
    return mail.checked is not None and bool(mail.ehlo_domain)


def _failing(mail: Evidence, policy: DmarcPolicy) -> str:
    known = mail.checked
    # A sealer that the spec trusts saw it before somebody changed it.
    if known is None or known.dmarc.result is not DmarcResult.FAIL or known.arc.trusted_results:
        return ""
    return known.dmarc.from_domain if known.dmarc.policy is policy else ""


def _spf(mail: Evidence, result: SpfResult) -> str:
    known: Authentication | None = mail.checked
    if known is None or known.mail_from.result is not result or known.mail_from.is_unsure:
        return ""
    return "" if known.arc.trusted_results else known.mail_from.domain


def _is_temporary(verdict: DmarcVerdict) -> bool:
    return verdict.result is DmarcResult.TEMPERROR


RULES = (
    Rule("dmarc-pass", -0.3, "the author's domain stands for it", has_dmarc_pass, about="authentication"),
    Rule(
        "dmarc-fail-reject",
        4.0,
        "the author's domain does not stand for it, and wants such mail refused",
        fails_where_refusal_is_asked,
        about="authentication",
    ),
    Rule(
        "dmarc-fail-quarantine",
        3.0,
        "the author's domain does not stand for it, and wants such mail among the junk",
        fails_where_junk_is_asked,
        about="authentication",
    ),
    Rule(
        "from-ours",
        3.0,
        "it says to be from a domain of this server, and comes from outside without proof",
        says_to_be_ours,
        about="authentication",
    ),
    Rule(
        "spf-fail",
        2.0,
        "the domain of its return path does not let this host send",
        fails_spf,
        about="authentication",
    ),
    Rule(
        "dmarc-fail",
        1.0,
        "the author's domain does not stand for it, and asks for nothing",
        fails_where_nothing_is_asked,
        about="authentication",
    ),
    Rule(
        "spf-softfail",
        1.0,
        "the domain of its return path does not expect this host to send",
        softly_fails_spf,
        about="authentication",
    ),
    Rule("unauthenticated", 0.8, "no domain stands for it", has_nobody_to_vouch, about="authentication"),
    Rule(
        "dkim-broken",
        0.3,
        "the signature of the author's domain does not go with it",
        has_a_broken_signature,
        about="authentication",
    ),
    Rule("ehlo-ours", 3.5, "the host calls itself by a name of ours", greets_as_us, about="EHLO"),
    Rule("ehlo-local", 1.5, "the host calls itself by a name that means itself", greets_as_local, about="EHLO"),
    Rule("ehlo-no-name", 1.5, "what the host calls itself is no name", greets_without_a_name, about="EHLO"),
    Rule("ehlo-address", 0.7, "the host calls itself by its address", greets_by_address, about="EHLO"),
    Rule("host-without-name", 1.0, "the host's address has no name that goes with it", has_no_host_name, about="host"),
    Rule(
        "host-numbered",
        0.8,
        "the host's name is its address, as of a home connection",
        has_a_numbered_host_name,
        about="host",
    ),
    Rule("return-path-nowhere", 1.5, "nobody can answer its return path", has_no_real_return_path),
)
