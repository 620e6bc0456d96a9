"""What the applier tells others, and what it keeps to itself."""

from mailstack.app.silence import QuietGenerations
from mailstack.ports.bus import CHALLENGE_TOPIC, GENERATION_TOPIC
from tests.support.recording_bus import RecordingBus


def test_everything_is_told_but_generations() -> None:
    bus = RecordingBus()
    quiet = QuietGenerations(bus)
    for topic in (CHALLENGE_TOPIC, GENERATION_TOPIC, "account/17"):
        quiet.publish(topic)
    assert bus.published == [CHALLENGE_TOPIC, "account/17"]
