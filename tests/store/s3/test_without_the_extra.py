"""A machine without the extra s3 runs all that needs no bucket, and is told what is missing where one is asked for."""

import subprocess
import sys

import pytest

from mailstack.model.errors import Unsupported
from mailstack.store.s3.bucket import Bucket, BucketAddress

ALL_BUT_THE_LIBRARY = """
import sys
import mailstack.store.s3.blobs, mailstack.store.s3.probe
sys.exit("obstore" in sys.modules)
"""


def test_nothing_imports_the_library_before_a_bucket_is_opened() -> None:
    assert subprocess.run([sys.executable, "-c", ALL_BUT_THE_LIBRARY], check=False).returncode == 0


def test_a_bucket_without_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(Unsupported, match=r"pip install 'mailstack\[s3\]'"):
        Bucket(BucketAddress(bucket="mail"))
