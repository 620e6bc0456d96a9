"""A bucket of its own for each test, at one S3 service for all of them."""

from itertools import count

import pytest

from mailstack.store.s3.bucket import Bucket, BucketAddress
from tests.support.moto import new_bucket

NUMBERS = count()


@pytest.fixture
def address(s3_url: str) -> BucketAddress:
    return new_bucket(s3_url, f"mail-{next(NUMBERS)}")


@pytest.fixture
def bucket(address: BucketAddress) -> Bucket:
    return Bucket(address)
