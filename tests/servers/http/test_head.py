"""Heads of requests: which are served, and which problem the others have."""

import pytest

from mailstack.servers.http.head import BadHead, read_head
from mailstack.servers.http.problem import (
    BAD_REQUEST,
    NOT_IMPLEMENTED,
    UNKNOWN_CODING,
    VERSION_NOT_SUPPORTED,
    Problem,
)
from mailstack.servers.http.target import Target

HOST = (b"host", b"Mail.example")
LENGTH = (b"content-length", b"5")
CHUNKED = (b"transfer-encoding", b"chunked")


def test_a_head_names_its_target() -> None:
    found = read_head(b"GET", b"/a?b", [HOST], version="1.1", is_upgrade=False)
    assert found == Target("mail.example", b"/a?b")


def test_an_upgrade_without_content_may_be_passed_over() -> None:
    fields = [HOST, (b"content-length", b"0")]
    assert read_head(b"GET", b"/", fields, version="1.1", is_upgrade=True).origin == b"/"


@pytest.mark.parametrize(
    ("method", "fields", "version", "problem"),
    [
        (b"GET", [HOST], "2.0", VERSION_NOT_SUPPORTED),
        (b"TRACE", [HOST], "1.1", NOT_IMPLEMENTED),  # RFC 9110 §9.3.8
        (b"CONNECT", [HOST], "1.1", NOT_IMPLEMENTED),  # RFC 9110 §9.3.6
        (b"POST", [HOST, CHUNKED], "1.0", BAD_REQUEST),  # RFC 9112 §6.1
        (b"POST", [HOST, CHUNKED, LENGTH], "1.1", BAD_REQUEST),  # RFC 9112 §6.1
        (b"POST", [HOST, (b"transfer-encoding", b"gzip, chunked")], "1.1", UNKNOWN_CODING),
        (b"GET", [], "1.1", BAD_REQUEST),  # RFC 9112 §3.2
    ],
)
def test_a_head_that_is_not_served(
    method: bytes, fields: list[tuple[bytes, bytes]], version: str, problem: Problem
) -> None:
    with pytest.raises(BadHead) as refused:
        read_head(method, b"/", fields, version=version, is_upgrade=False)
    assert refused.value.problem == problem


@pytest.mark.parametrize("field", [LENGTH, CHUNKED])
def test_an_upgrade_with_content_is_refused(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(BadHead) as refused:
        read_head(b"POST", b"/", [HOST, field], version="1.1", is_upgrade=True)
    assert (refused.value.problem, refused.value.reason) == (BAD_REQUEST, "an upgrade with content")
