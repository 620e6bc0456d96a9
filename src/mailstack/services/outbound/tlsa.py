"""What DNS says of an exchanger's certificates, as far as DNSSEC vouches for all that leads there. RFC 7672 §2.2.

What is forged, or not answered, is no absence: the host is not to be used for now (RFC 7672 §2.1.2). Certificates are
mailauth.dane's.
"""

from collections.abc import Sequence

from mailstack.mailauth.dane import usable
from mailstack.model.delivery import Deferred, SmtpReply
from mailstack.model.errors import TryAgainLater
from mailstack.model.tls_policy import Dane, Required, TlsFailure, TlsUsed
from mailstack.ports.resolver import Answer, MailExchanger, SecureResolver


async def dane_policy(
    resolver: SecureResolver, host: str, *, port: int, domain: str, exchangers: Answer[MailExchanger]
) -> Dane | Required | Deferred | None:
    """None without DANE, Deferred where DNS does not say. exchangers: of the domain, with or without host among them:
    it is its own without MX records.

    Raises TryAgainLater where DNS does not tell of the host either.
    """
    # RFC 7672 §2.2.1: whoever can forge where mail goes can name a host whose records are in order.
    if not exchangers.is_secure:
        return None
    for base in await _base_domains(resolver, host):
        try:
            answer = await resolver.tlsa_answer(f"_{port}._tcp.{base}")
        except TryAgainLater as fault:
            return _unknown(host, fault)
        # RFC 7672 §2.2.3: records that are not vouched for are as if they were not there.
        if answer.values and answer.is_secure:
            records = usable(answer.values)
            # RFC 7672 §2.2: records that nobody can use still say that there is TLS.
            names = _names(base, domain, exchangers)
            return Dane(records=records, names=names) if records else Required(is_verified=False)
    return None


def _unknown(host: str, fault: TryAgainLater) -> Deferred:
    # RFC 3463 §3.8, X.7.5: what is needed to know the server by is not to be had, or is invalid.
    text = f"{host}: DNS does not answer for its TLSA records, or they are forged (DANE): {fault.detail}"
    reply = SmtpReply(code=451, status="4.7.5", text=text)
    return Deferred(reply=reply, host="", tls=TlsUsed(policy=Dane.word, failure=TlsFailure.DNSSEC_INVALID))


async def _base_domains(resolver: SecureResolver, host: str) -> Sequence[str]:
    """Where records may be, the first choice first; none where DNSSEC does not vouch for the host's name."""
    found = await resolver.addresses_answer(host)
    if found.is_secure:
        # RFC 7672 §2.2.3: the name that aliases lead to, then the one that DNS named.
        return tuple(dict.fromkeys((found.name, host)))
    if found.name != host and (await resolver.alias_answer(host)).is_secure:
        # RFC 7672 §2.2.2: the alias is the owner's word, if what it leads to is not.
        return (host,)
    # RFC 7672 §2.2.2: where addresses are not vouched for, nobody is asked for records: name servers of zones that are
    # not signed are often unable to say that there are none.
    return ()


def _names(base: str, domain: str, exchangers: Answer[MailExchanger]) -> tuple[str, ...]:
    # RFC 7672 §3.2.2: also the next hop's, as it is written and as its aliases have it.
    return tuple(dict.fromkeys((base, domain, exchangers.name)))
