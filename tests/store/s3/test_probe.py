"""Whether a bucket can be used: what is missing is told with what to do about it, and nothing is left behind."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailstack.store.s3.bucket import Bucket, BucketAddress
from mailstack.store.s3.probe import probed
from tests.support.counting_proxy import Passed, counting_proxy


@pytest.fixture
def passed(address: BucketAddress) -> Iterator[Passed]:
    with counting_proxy(address.endpoint) as proxy:
        yield proxy


@pytest.fixture
def far(address: BucketAddress, passed: Passed) -> Bucket:
    return Bucket(replace(address, endpoint=passed.url))


def names(bucket: Bucket) -> list[str]:
    return [each.name for page in bucket.listed() for each in page]


async def test_a_bucket_that_does_all_of_it(bucket: Bucket) -> None:
    bucket.create("f" * 64 + ".zst", b"a message")
    findings = [each async for each in probed(bucket)]
    assert len(findings) == 7
    assert [each for each in findings if each.fault or each.took_s <= 0] == []
    assert names(bucket) == ["f" * 64 + ".zst"]


async def test_a_key_that_may_not_put(far: Bucket, passed: Passed) -> None:
    passed.faults = [403]
    (finding,) = [each async for each in probed(far)]
    assert finding.what == "put an object"
    assert "refuses it (403 Forbidden)" in finding.fault
    assert "s3:PutObject" in finding.remedy


async def test_a_bucket_that_nobody_made(address: BucketAddress) -> None:
    (finding,) = [each async for each in probed(Bucket(replace(address, bucket="nobody-made-it")))]
    assert "does not exist" in finding.fault


async def test_a_key_that_may_not_delete(far: Bucket, bucket: Bucket, passed: Passed) -> None:
    probing = probed(far)
    assert [(await anext(probing)).fault for _ in range(6)] == [""] * 6
    passed.faults = [403]
    (finding,) = [each async for each in probing]
    assert finding.what == "delete both"
    assert finding.is_needed
    assert names(bucket) == []  # the last try, which nobody hears of, was allowed


async def test_a_service_without_conditions_can_be_used(address: BucketAddress) -> None:
    with counting_proxy(address.endpoint, drops="If-None-Match") as passed:
        findings = [each async for each in probed(Bucket(replace(address, endpoint=passed.url)))]
    (finding,) = (each for each in findings if each.fault)
    assert finding.what == "put it only where there is none"
    assert not finding.is_needed


async def test_a_service_without_ranges_cannot(address: BucketAddress) -> None:
    with counting_proxy(address.endpoint, drops="Range") as passed:
        findings = [each async for each in probed(Bucket(replace(address, endpoint=passed.url)))]
    assert "read a piece of it" in {each.what for each in findings if each.fault and each.is_needed}


async def test_who_stops_looking_leaves_nothing_behind(bucket: Bucket) -> None:
    probing = probed(bucket)
    await anext(probing)
    await probing.aclose()  # type: ignore[attr-defined]  # a generator, which callers need not know
    assert names(bucket) == []
