"""The whole server with a database and a bucket: a large message is an object, and mail programs see no difference."""

import imaplib
import smtplib
import ssl
from pathlib import Path

import pytest

from mailstack.store.s3.bucket import Bucket
from tests.scenarios.test_on_postgres import SPEC, Node
from tests.support.moto import new_bucket
from tests.support.over_sockets import CLIENT_S
from tests.support.sandbox import free_base_port
from tests.support.serving import serving_spec

pytestmark = pytest.mark.slow

BODY = "".join(f"line {number} of a long text\r\n" for number in range(20_000))
MESSAGE = f"From: x@customer.example\r\nSubject: large\r\n\r\n{BODY}"


def fetched(node: Node, what: str) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4_SSL("127.0.0.1", node.imaps, ssl_context=context, timeout=CLIENT_S) as client:
        client.login("alice@example.com", "open sesame")
        client.select(readonly=True)
        _, found = client.fetch("1", what)
        return next(part[1] for part in found if isinstance(part, tuple))


def test_a_large_message_is_an_object_and_read_as_any_other(tmp_path: Path, empty_database: str, s3_url: str) -> None:
    address = new_bucket(s3_url, "scenario")
    base = free_base_port()
    node = Node(folder=tmp_path, url=empty_database, smtp=base, imaps=base + 1)
    keys = f"access_key: file/key, secret_key: file/secret, prefix: {address.prefix}"
    blobs = f"blobs: {{s3: {{bucket: {address.bucket}, endpoint: '{s3_url}', {keys}}}}}"
    spec = SPEC.format(smtp=node.smtp, imaps=node.imaps)
    node.spec.write_text(spec.replace("database: env/MAIL_DATABASE", f"database: env/MAIL_DATABASE, {blobs}"))
    for name, secret in {"password": "open sesame", "key": address.access_key, "secret": address.secret_key}.items():
        (tmp_path / name).write_text(f"{secret}\n")
    with serving_spec(node.spec, MAIL_DATABASE=node.url):
        with smtplib.SMTP("127.0.0.1", node.smtp, timeout=CLIENT_S) as client:
            client.sendmail("x@customer.example", ["alice@example.com"], MESSAGE)
        assert fetched(node, "(BODY.PEEK[TEXT])").decode() == BODY
        assert fetched(node, "(BODY.PEEK[TEXT]<400000.20>)").decode() == BODY[400_000:400_020]
    assert len([each for page in Bucket(address).listed() for each in page]) == 1
    node.run("account", "verify", "SPEC", "alice@example.com")
    assert address.secret_key not in "".join(node.said)
