"""What tests of the running program share."""

import pytest

from tests.support import ports


@pytest.fixture
def free_port() -> int:
    return ports.free_port()
