"""A bucket of its own for each test, at one S3 service for all of them."""

from collections.abc import Iterator
from itertools import count

import pytest

from mailstack.store.s3.bucket import Bucket, BucketAddress
from tests.support.moto import new_bucket, running_moto

NUMBERS = count()


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def address(s3_url: str) -> BucketAddress:
    return new_bucket(s3_url, f"mail-{next(NUMBERS)}")


@pytest.fixture
def bucket(address: BucketAddress) -> Bucket:
    return Bucket(address)
