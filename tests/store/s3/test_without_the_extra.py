"""A machine without the extra s3 runs all that needs no bucket, and loads nothing of it."""

import subprocess
import sys

ALL_BUT_THE_LIBRARY = """
import sys
import mailstack.store.s3.blobs, mailstack.store.s3.probe
sys.exit("obstore" in sys.modules)
"""


def test_nothing_imports_the_library_before_a_bucket_is_opened() -> None:
    assert subprocess.run([sys.executable, "-c", ALL_BUT_THE_LIBRARY], check=False).returncode == 0
