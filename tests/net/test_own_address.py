"""Which addresses are this machine's."""

from functools import partial
from pathlib import Path

import pytest

from mailstack.net.own_address import is_own
from tests.support.namespaces import need_namespaces, new_namespace


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("127.0.0.3", True), ("::1", True), ("192.0.2.77", False), ("2001:db8::77", False)],
)
def test_an_address_of_an_interface_is_its_own(address: str, expected: bool) -> None:
    assert is_own(address) == expected


def test_an_address_is_looked_for_each_time() -> None:
    need_namespaces()
    with new_namespace() as machine:
        for address in ("192.0.2.77", "2001:db8::77"):
            assert machine.run(partial(is_own, address)) is False
            machine.add_address(address)
            assert machine.run(partial(is_own, address)) is True


def test_what_may_be_bound_without_being_there_is_not_its_own() -> None:
    need_namespaces()
    with new_namespace() as machine:
        machine.run(lambda: Path("/proc/sys/net/ipv4/ip_nonlocal_bind").write_text("1"))
        assert machine.run(lambda: is_own("192.0.2.77")) is False
