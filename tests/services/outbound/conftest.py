"""The world that outbound mail passes through."""

import pytest

from tests.support.outbound_world import OutboundWorld


@pytest.fixture
def world() -> OutboundWorld:
    return OutboundWorld()
