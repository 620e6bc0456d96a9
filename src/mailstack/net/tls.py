"""TLS for servers: one context for each certificate, chosen by the name the client asks for, swapped while running.

Not the client side (clients/smtp has its own rules) and not where certificates come from (reconcile/providers/certs).
RFC 8446, RFC 6066 §3 (SNI), RFC 8996 (no TLS below 1.2), RFC 8314 §4 (TLS for mail).
"""

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.errors import Invalid
from mailstack.net.end_point import end_point_of
from mailstack.net.tls_proofs import TlsProofs

# RFC 9325 §4.2: forward secrecy and AEAD only; TLS 1.3 brings its own list.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """names: host names or one-label wildcards it is good for. chain: PEM, leaf first; key: PEM."""

    names: tuple[str, ...]
    chain: str
    key: str

    def __repr__(self) -> str:
        return f"Identity(names={self.names!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameChoice:
    """Which certificate is shown to whom. contexts: of every identity, the first of which is for all other names.
    end_points: by context, the hash of its certificate, where there is one."""

    contexts: Mapping[Identity, ssl.SSLContext]
    by_name: Mapping[str, ssl.SSLContext]
    end_points: Mapping[ssl.SSLContext, bytes]

    def __call__(self, server_name: str | None) -> ssl.SSLContext | None:
        """server_name: None where the client sent none. None: there is no certificate."""
        return _find(self.by_name, server_name) or next(iter(self.contexts.values()), None)

    def end_point(self, connection: ssl.SSLObject) -> bytes | None:
        """tls-server-end-point of a connection (RFC 5929 §4.1), None where it is not certain what its client saw: one
        that began with another choice, or that resumed a session, for which no certificate was sent."""
        if connection.session_reused:
            return None
        return self.end_points.get(connection.context)


def server_context(identity: Identity, *, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """protocols: for ALPN, in order of preference. Raises Invalid, naming the certificate, when chain and key are not a
    pair or not readable."""
    context = _bare_context()
    if protocols:
        context.set_alpn_protocols(list(protocols))
    # ssl reads files only; a memory file keeps the key off the disk.
    file = os.memfd_create("identity", os.MFD_CLOEXEC)
    try:
        os.write(file, f"{identity.key.rstrip()}\n{identity.chain}".encode())
        context.load_cert_chain(f"/proc/self/fd/{file}")
    except (ssl.SSLError, OSError) as fault:
        raise Invalid(f"certificate for {', '.join(identity.names)}: {fault}") from fault
    finally:
        os.close(file)
    return context


def choice_of(
    identities: tuple[Identity, ...], *, protocols: Sequence[str] = (), before: NameChoice | None = None
) -> NameChoice:
    """before: an earlier choice with the same protocols, whose contexts are used again. Raises Invalid."""
    held = before.contexts if before is not None else {}
    # OpenSSL asks the chosen context which protocols there are, not the listener's: RFC 7301 §3.2.
    contexts = {
        identity: held.get(identity) or server_context(identity, protocols=protocols) for identity in identities
    }
    by_name: dict[str, ssl.SSLContext] = {}
    for identity, context in contexts.items():
        for name in identity.names:
            by_name.setdefault(name.lower(), context)
    known = before.end_points if before is not None else {}
    end_points = {context: known.get(context) or end_point_of(identity.chain) for identity, context in contexts.items()}
    return NameChoice(
        contexts=contexts,
        by_name=by_name,
        end_points={context: found for context, found in end_points.items() if found is not None},
    )


def live_context(choice: Callable[[], NameChoice], *, proofs: TlsProofs | None = None) -> ssl.SSLContext:
    """A context for a listener that outlives generations: the certificate is looked up at each handshake.

    proofs: shown to certificate authorities instead. Session tickets belong to this context, so a client resumes across
    a swap.
    """
    front = _bare_context()
    if proofs is not None:
        proofs.guard(front)

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _front: ssl.SSLContext) -> int | None:
        found = (proofs.context_for(connection, name) if proofs else None) or choice()(name)
        if found is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME  # RFC 6066 §3
        connection.context = found
        return None

    front.sni_callback = choose
    return front


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996 §4, §5
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 1
    return context


def _find(by_name: Mapping[str, ssl.SSLContext], name: str | None) -> ssl.SSLContext | None:
    if not name:
        return None
    wanted = name.lower().rstrip(".")
    # RFC 6125 §6.4.3: a wildcard stands for exactly the left-most label.
    return by_name.get(wanted) or by_name.get("*." + wanted.partition(".")[2])
