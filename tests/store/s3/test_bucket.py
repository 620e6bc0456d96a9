"""A bucket's faults: what may pass is tried again, within bounds, and told in words that name no key."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import trustme

from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.store.s3 import bucket as bucket_module
from mailstack.store.s3.bucket import MAX_RETRIES, Bucket, BucketAddress
from tests.support.counting_proxy import Passed, counting_proxy

NAME = "ab" * 32 + ".zst"


@pytest.fixture
def passed(address: BucketAddress) -> Iterator[Passed]:
    with counting_proxy(address.endpoint) as proxy:
        yield proxy


@pytest.fixture
def far(address: BucketAddress, passed: Passed) -> Bucket:
    return Bucket(replace(address, endpoint=passed.url))


def names(bucket: Bucket) -> list[str]:
    return [each.name for page in bucket.listed() for each in page]


def test_what_is_there_stays_as_it_is(bucket: Bucket) -> None:
    bucket.create(NAME, b"first")
    bucket.create(NAME, b"second")
    bucket.upload(NAME, [b"third"])
    assert bucket.end(NAME, 100) == (b"first", 5)


def test_pieces(bucket: Bucket) -> None:
    bucket.create(NAME, b"0123456789")
    assert bucket.piece(NAME, 2, 5) == b"234"
    assert bucket.end(NAME, 3) == (b"789", 10)
    for start, stop in ((8, 12), (20, 30)):
        with pytest.raises(Damaged, match="cut short"):
            bucket.piece(NAME, start, stop)


def test_names_lie_below_the_prefix(bucket: Bucket, address: BucketAddress) -> None:
    bucket.create(NAME, b"x")
    other = Bucket(replace(address, prefix="mail/other"))
    assert names(bucket) == [NAME]
    assert names(other) == []
    assert names(Bucket(replace(address, prefix=""))) == []
    other.create(NAME, b"y")
    assert bucket.end(NAME, 9) == (b"x", 1)
    assert names(bucket) == [NAME]


def test_deleting_twice_is_as_good(bucket: Bucket) -> None:
    bucket.create(NAME, b"x")
    bucket.delete([NAME])
    bucket.delete([NAME])
    assert not bucket.has(NAME)


def test_a_listing_of_several_pages(bucket: Bucket) -> None:
    made = [f"{number:02x}{'a' * 62}.zst" for number in range(30)]
    for name in made:
        bucket.create(name, b"x")
    assert sorted(names(bucket)) == made
    assert all(each.modified_at > 1_700_000_000_000 for page in bucket.listed() for each in page)


def test_passing_faults_are_not_noticed(far: Bucket, passed: Passed) -> None:
    passed.faults = [503, 500]
    far.create(NAME, b"x")
    assert far.end(NAME, 10) == (b"x", 1)
    assert len(passed.requests) == 4


def test_an_answer_that_was_lost_is_no_fault(far: Bucket, passed: Passed) -> None:
    """The object was made, and is there when it is put again."""
    passed.faults = [-503]
    far.create(NAME, b"x")
    assert far.end(NAME, 10) == (b"x", 1)


def test_retries_are_bounded(far: Bucket, passed: Passed) -> None:
    passed.faults = [503] * 100
    with pytest.raises(TryAgainLater, match=r"bucket mail-\d+ at http://127.0.0.1:\d+ answers 503 Service Unavailable"):
        far.create(NAME, b"x")
    assert len(passed.requests) == 1 + MAX_RETRIES


CALLS: dict[str, Callable[[Bucket], object]] = {
    "create": lambda bucket: bucket.create(NAME, b"x"),
    "upload": lambda bucket: bucket.upload(NAME, [b"x"]),
    "has": lambda bucket: bucket.has(NAME),
    "end": lambda bucket: bucket.end(NAME, 10),
    "piece": lambda bucket: bucket.piece(NAME, 0, 1),
    "delete": lambda bucket: bucket.delete([NAME]),
    "listed": names,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_service_that_is_not_there(address: BucketAddress, call: Callable[[Bucket], object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TryAgainLater, match=f"at http://127.0.0.1:{port} cannot be reached") as caught:
        call(Bucket(replace(address, endpoint=f"http://127.0.0.1:{port}")))
    assert "hush" not in str(caught.value)
    assert "AKIA" not in str(caught.value)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_bucket_that_nobody_made(address: BucketAddress, call: Callable[[Bucket], object]) -> None:
    """Its messages are not damaged, and an object that cannot be deleted is not gone."""
    with pytest.raises(TryAgainLater, match=r"bucket nobody-made-it at .* does not exist: make it"):
        call(Bucket(replace(address, bucket="nobody-made-it")))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_key_that_may_not(far: Bucket, passed: Passed, call: Callable[[Bucket], object]) -> None:
    passed.faults = [403] * 10
    with pytest.raises(TryAgainLater, match=r"refuses it \(403 Forbidden\): look at the access key") as caught:
        call(far)
    assert "hush" not in str(caught.value)
    assert len(passed.requests) == 1


def test_a_certificate_of_ones_own_authority(address: BucketAddress) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with counting_proxy(address.endpoint, tls=context) as passed:
        over_tls = replace(address, endpoint=passed.url)
        Bucket(replace(over_tls, ca=authority.cert_pem.bytes().decode())).create(NAME, b"x")
        with pytest.raises(TryAgainLater, match=r"shows a certificate that is not trusted: storage.blobs.s3.ca"):
            Bucket(over_tls).has(NAME)


def test_a_service_that_never_answers(address: BucketAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_module, "REQUEST_TIMEOUT", timedelta(milliseconds=200))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = Bucket(replace(address, endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}"))
        began = time.monotonic()
        with pytest.raises(TryAgainLater, match="does not answer in time"):
            silent.create(NAME, b"x")
        assert time.monotonic() - began < 25


def test_a_service_without_conditions_gets_the_object_without_one(far: Bucket, passed: Passed) -> None:
    passed.faults = [501]
    far.create(NAME, b"x")
    assert far.end(NAME, 10) == (b"x", 1)


def test_keys_are_in_no_text(bucket: Bucket) -> None:
    assert "hush" not in repr(bucket.address)
    assert "AKIA" not in f"{bucket.address!r} {bucket.address}"


def test_a_conflict_does_not_say_that_it_is_there(far: Bucket, passed: Passed) -> None:
    """Another request for it is under way, which may be one that deletes it, or that fails."""
    passed.faults = [409]
    far.create(NAME, b"x")
    assert far.end(NAME, 10) == (b"x", 1)
