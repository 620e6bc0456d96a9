"""Debian's Chromium as measurements drive it: the server's certificate counts as good, so that files are kept as they
are from a server that browsers know."""

import base64
import hashlib
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, ViewportSize, sync_playwright

DEADLINE_MS = 60_000
VIEWPORT = ViewportSize(width=1280, height=900)


def is_there() -> bool:
    return shutil.which("chromium") is not None


@contextmanager
def chromium(port: int) -> Iterator[Browser]:
    """port: of HTTPS."""
    # With errors merely ignored nothing would be kept: a cache takes no file from a place that is in doubt.
    known = f"--ignore-certificate-errors-spki-list={_key_hash(port)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", known]
        )
        try:
            yield browser
        finally:
            browser.close()


def _key_hash(port: int) -> str:
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate(("localhost", port)).encode())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
