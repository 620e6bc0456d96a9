"""ports.state.State in memory, for tests of what plans and applies."""

from mailstack.store.memory import state
from mailstack.store.memory.state import DIGEST_KEY
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus


class MemoryState(state.MemoryState):
    """With a clock and a bus of its own."""

    def __init__(self, *, digest_key: bytes = DIGEST_KEY) -> None:
        super().__init__(clock=FakeClock(), bus=RecordingBus(), digest_key=digest_key)
