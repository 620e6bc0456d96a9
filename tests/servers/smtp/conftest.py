"""What the SMTP server's tests share."""

import ssl
from collections.abc import Iterator

import pytest
import structlog
import trustme

from tests.support.smtp_world import HOSTNAME, SmtpWorld


@pytest.fixture
def world() -> SmtpWorld:
    return SmtpWorld()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOSTNAME).configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def logged() -> Iterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as events:
        yield events  # type: ignore[misc]  # structlog's own type is a mutable mapping
