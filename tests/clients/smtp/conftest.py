"""A certificate authority of the tests, and a transport that trusts it."""

import random
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trustme

from mailstack.clients.smtp.kept import KeepLimits
from mailstack.clients.smtp.tls import TlsContexts, client_contexts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.model.source import Source
from tests.support.certificates import NOW
from tests.support.memory_resolver import MemoryResolver
from tests.support.smtp_sender import PATIENT, Sender


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def contexts(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> TlsContexts:
    path = Path(tmp_path_factory.mktemp("ca")) / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return client_contexts(ca_file=str(path))


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    """A server's context with a certificate for that name."""

    def make(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return make


@pytest.fixture
def resolver() -> MemoryResolver:
    return MemoryResolver(hosts={"mx.test": ("127.0.0.1",)})


def make_transport(
    resolver: MemoryResolver, contexts: TlsContexts, keeping: KeepLimits, sources: Sequence[Source] = ()
) -> SmtpTransport:
    return SmtpTransport(
        resolver,
        ehlo_domain="us.test",
        tls=contexts,
        token=random.Random(7).randbytes,
        clock=lambda: NOW,
        timeouts=PATIENT,
        keeping=keeping,
        sources=sources,
    )


@pytest.fixture
def sender(resolver: MemoryResolver, contexts: TlsContexts) -> Sender:
    """One mail, one connection."""
    return Sender(make_transport(resolver, contexts, KeepLimits(mails=1)))
