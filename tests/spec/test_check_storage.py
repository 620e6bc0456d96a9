"""What several nodes share: which parts need which; messages are in the golden faults."""

import pytest

from mailstack.spec.check import check
from mailstack.spec.document import Document
from mailstack.spec.yaml_text import compose

HEAD = "server: {hostname: mail.example.com}\ndomains: {example.com: }\n"


@pytest.mark.parametrize(
    ("storage", "found"),
    [
        ("{}", []),
        ("{path: x}", []),
        ("{database: env/D}", []),
        ("{database: env/D, blobs: {s3: {bucket: abc}}, events: nats://x}", []),
        ("{database: null, blobs: {s3: {bucket: abc}}}", ["storage.blobs"]),
        ("{blobs: null, events: null}", []),
        ("{events: {servers: [nats://x]}}", ["storage.events"]),
        ("{database: env/D, blobs: {s3: {access_key: env/A, secret_key: env/S}}}", []),
        ("{database: env/D, blobs: {s3: {access_key: env/A}}}", ["storage.blobs.s3.access_key"]),
        ("{database: env/D, blobs: {s3: {secret_key: env/S}}}", ["storage.blobs.s3.secret_key"]),
        ("{database: env/D, events: {username: env/U, password: env/P}}", []),
        ("{database: env/D, events: {username: env/U, password: null}}", ["storage.events.username"]),
        ("{database: env/D, events: {password: env/P}}", ["storage.events.password"]),
        ("{database: env/D, events: {token: env/T}}", []),
        ("{database: env/D, events: {token: env/T, username: env/U, password: env/P}}", ["storage.events.token"]),
        ("[1, 2]", []),
        ("{database: env/D, blobs: [], events: 5}", []),
    ],
)
def test_storage(storage: str, found: list[str]) -> None:
    document = Document(compose(f"{HEAD}storage: {storage}".encode(), "a.yaml"))
    assert [fault.path for fault in check(document)] == found
