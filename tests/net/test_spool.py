"""Small octets stay in memory, large ones go through a file; either way they come back as they were."""

import mmap

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.net.spool import IN_MEMORY_OCTETS, MAPPED_OCTETS, Spool


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY_OCTETS, IN_MEMORY_OCTETS + 1, 3 * IN_MEMORY_OCTETS])
def test_octets_come_back(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    with Spool() as spool:
        for start in range(0, size, 65_536):
            spool.write(data[start : min(start + 65_536, size)])

        assert spool.octets()[:] == data[:size]
        assert spool.size_octets == size
        assert isinstance(spool.octets(), mmap.mmap) == (size > IN_MEMORY_OCTETS)


@pytest.mark.parametrize(
    "sizes",
    [
        (0,),
        (3, 0, 5),
        (IN_MEMORY_OCTETS, 1, 2),
        (10, IN_MEMORY_OCTETS, 0, MAPPED_OCTETS + 1, 7, MAPPED_OCTETS + 1),
        (MAPPED_OCTETS + 1, MAPPED_OCTETS + 1, 2 * IN_MEMORY_OCTETS),
    ],
)
def test_several_messages_come_back_each(sizes: tuple[int, ...]) -> None:
    messages = [bytes([65 + at]) * size for at, size in enumerate(sizes)]
    with Spool() as spool:
        for at, message in enumerate(messages):
            if at:
                spool.next_message()
            for start in range(0, len(message), 100_000):
                spool.write(message[start : start + 100_000])
            assert spool.message_octets == len(message)

        assert [message[:] for message in spool.messages()] == messages
        assert spool.size_octets == sum(sizes)


def test_a_full_disk_is_a_passing_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(prefix: str, buffering: int) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    spool = Spool()

    with pytest.raises(TryAgainLater, match="No space"):
        spool.write(b"x" * (IN_MEMORY_OCTETS + 1))


def test_closing_twice_is_no_fault() -> None:
    spool = Spool()
    spool.write(b"x" * (IN_MEMORY_OCTETS + 1))
    spool.octets()
    spool.close()
    spool.close()
