"""Any bytes as a spec: values or faults, nothing else, and faults that lie inside the file."""

import tempfile
from pathlib import Path

from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import load_spec
from tests.fuzz.target import Target
from tests.support.golden_spec import FAULTS, GOOD


def any_bytes_are_a_spec_or_faults(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_bytes(data)
        try:
            loaded = load_spec(path)
        except SpecInvalid as invalid:
            _check_faults(invalid, data)
            return
        assert load_spec(path).digest == loaded.digest


def _check_faults(invalid: SpecInvalid, data: bytes) -> None:
    assert invalid.faults
    lines = data.count(b"\n") + data.count(b"\r") + data.count(b"\xc2\x85") + data.count(b"\xe2\x80") + 1
    for fault in invalid.faults:
        assert 0 <= fault.line <= lines + 1
        assert str(fault).isprintable()


TARGETS: tuple[Target, ...] = (
    Target(
        "spec.load",
        any_bytes_are_a_spec_or_faults,
        tuple((folder / "spec.yaml").read_bytes() for folder in (*GOOD, *FAULTS)),
    ),
)
