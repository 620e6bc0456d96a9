"""What makes a server look at its spec again."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.app.reload import Reason, Reasons, Watch, places_of
from tests.support.running import DEADLINE_S

LATER_NS = 1 << 62


@pytest.fixture
async def reasons() -> Reasons:
    return Reasons()


@pytest.fixture
async def watch(reasons: Reasons) -> AsyncIterator[Watch]:
    watch = Watch(reasons)
    yield watch
    await watch.end()


async def soon(reasons: Reasons) -> Reason:
    async with asyncio.timeout(DEADLINE_S):
        return await reasons.next()


async def test_many_reasons_make_one_reload_and_reading_the_spec_covers_all(reasons: Reasons) -> None:
    for reason in (Reason.APPLIED, Reason.FILES, Reason.FILES):
        reasons.give(reason)
    assert await soon(reasons) is Reason.FILES
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await reasons.next()


async def test_saving_by_rename_is_seen(tmp_path: Path, reasons: Reasons, watch: Watch) -> None:
    spec = tmp_path / "mail.yaml"
    spec.write_text("a")
    await watch.follow([str(spec)], read_at_ns=LATER_NS)
    for text in "bc":
        draft = tmp_path / ".draft"
        draft.write_text(text)
        draft.rename(spec)
        assert await soon(reasons) is Reason.FILES


async def test_files_that_a_faulty_spec_names_are_followed_besides(
    tmp_path: Path, reasons: Reasons, watch: Watch
) -> None:
    spec, script = tmp_path / "mail.yaml", tmp_path / "sieve" / "new.txt"
    spec.write_text("a")
    script.parent.mkdir()
    await watch.follow([str(spec)], read_at_ns=LATER_NS)
    await watch.follow_also([str(spec), str(script)], read_at_ns=LATER_NS)
    script.write_text("keep;")
    assert await soon(reasons) is Reason.FILES
    spec.write_text("b")
    assert await soon(reasons) is Reason.FILES


async def test_a_file_saved_while_the_spec_was_read_is_not_missed(
    tmp_path: Path, reasons: Reasons, watch: Watch
) -> None:
    began_ns = time.time_ns() - 1_000_000_000
    spec = tmp_path / "mail.yaml"
    spec.write_text("a")
    await watch.follow([str(spec)], read_at_ns=began_ns)
    assert await soon(reasons) is Reason.FILES


async def test_a_file_whose_date_lies_ahead_of_the_clock_is_read_once_more_and_not_for_ever(
    tmp_path: Path, reasons: Reasons, watch: Watch
) -> None:
    spec = tmp_path / "mail.yaml"
    spec.write_text("a")
    for _ in range(2):
        await watch.follow([str(spec)], read_at_ns=time.time_ns() - 300_000_000_000)
    assert await soon(reasons) is Reason.FILES
    await watch.follow([str(spec)], read_at_ns=time.time_ns() - 300_000_000_000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await reasons.next()


async def test_a_folder_that_a_reload_brought_in_is_watched_too(tmp_path: Path, reasons: Reasons, watch: Watch) -> None:
    spec, included = tmp_path / "mail.yaml", tmp_path / "accounts" / "alice.yaml"
    spec.write_text("a")
    included.parent.mkdir()
    included.write_text("a")
    await watch.follow([str(spec)], read_at_ns=LATER_NS)
    await watch.follow([str(spec), str(included)], read_at_ns=LATER_NS)
    (included.parent / "bob.yaml").write_text("new")
    assert await soon(reasons) is Reason.FILES


async def test_files_that_are_no_part_of_the_spec_are_passed_over(
    tmp_path: Path, reasons: Reasons, watch: Watch
) -> None:
    spec, secret = tmp_path / "mail.yaml", tmp_path / "alice.hash"
    spec.write_text("a")
    secret.write_text("a")
    await watch.follow([str(spec), str(secret)], read_at_ns=LATER_NS)
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await reasons.next()
    secret.write_text("b")
    assert await soon(reasons) is Reason.FILES


def linked(folder: Path, name: str, target: str) -> Path:
    """By renaming, so that there is never a moment without it."""
    draft = folder / f".{name}.new"
    draft.symlink_to(target)
    return draft.rename(folder / name)


async def test_a_link_that_is_swapped_as_certbot_does_is_seen(tmp_path: Path, reasons: Reasons, watch: Watch) -> None:
    for folder in ("archive", "live"):
        (tmp_path / folder).mkdir()
    for number in (1, 2, 3):
        (tmp_path / "archive" / f"mail{number}.pem").write_text(str(number))
    file = linked(tmp_path / "live", "mail.pem", "../archive/mail1.pem")
    await watch.follow([str(file)], read_at_ns=LATER_NS)
    for number in (2, 3):
        linked(tmp_path / "live", "mail.pem", f"../archive/mail{number}.pem")
        assert await soon(reasons) is Reason.FILES
        await watch.follow([str(file)], read_at_ns=LATER_NS)
    (tmp_path / "archive" / "mail3.pem").write_text("written over")
    assert await soon(reasons) is Reason.FILES


async def test_a_folder_that_is_swapped_by_its_link_is_seen(tmp_path: Path, reasons: Reasons, watch: Watch) -> None:
    for number in (1, 2):
        (tmp_path / f"release{number}").mkdir()
        (tmp_path / f"release{number}" / "mail.pem").write_text(str(number))
    current = linked(tmp_path, "current", "release1")
    await watch.follow([str(current / "mail.pem")], read_at_ns=LATER_NS)
    linked(tmp_path, "current", "release2")
    assert await soon(reasons) is Reason.FILES


def test_every_place_on_the_way_to_a_file_is_known(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").write_text("")
    linked(tmp_path, "a", "b")
    linked(tmp_path / "b", "link", "file")
    expected = [tmp_path / "a" / "link", tmp_path / "a", tmp_path / "b" / "link", tmp_path / "b" / "link"]
    assert list(places_of(tmp_path / "a" / "link")) == [*expected, tmp_path / "b" / "file"]


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert set(places_of(tmp_path / "a")) == {tmp_path / "a", tmp_path / "b"}
