"""Unix sockets to listen on: who may use them, what is replaced, and what is not."""

import grp
import os
import pwd
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstack.app import unix_sockets
from mailstack.app.faults import CannotServe, PortBusy
from mailstack.app.sockets import Endpoint, bind, close_all, endpoints_of, give_up

ACCESS = "mode=0660"
NAME = "lmtp on it"


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lmtp") as folder:
        yield Path(folder) / "lmtp"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def endpoint(place: Path, access: str = ACCESS) -> Endpoint:
    return Endpoint(service="lmtp", path=str(place), access=access)


def test_a_listener_may_be_a_path_with_who_may_use_it(place: Path) -> None:
    assert endpoints_of({"lmtp": ("127.0.0.1:24", f"{place} mode=0600 group=mail")}) == (
        Endpoint(service="lmtp", path=str(place)),
        Endpoint(service="lmtp", host="127.0.0.1", port=24),
    )
    (found,) = endpoints_of({"lmtp": (f"{place} mode=0600 group=mail",)})
    assert (str(found), found.access) == (str(place), "mode=0600 group=mail")


def test_it_is_there_with_its_permissions_and_goes_with_whoever_made_it(place: Path) -> None:
    bound = bind([endpoint(place, "mode=0622")], {})
    assert mode(place) == 0o622
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place))
    close_all({endpoint(place): bound[endpoint(place)].dup()})
    assert place.exists()  # a copy's end is not the end
    give_up(bound)
    assert not list(place.parent.iterdir())


def test_who_may_use_it_changes_while_it_is_open(place: Path) -> None:
    held = bind([endpoint(place)], {})
    assert bind([endpoint(place, "mode=0666")], held) == {}
    assert mode(place) == 0o666
    give_up(held)


def test_what_a_killed_server_left_behind_is_replaced(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place))
    with unix_sockets.bind(NAME, str(place), ACCESS), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place))


def test_where_somebody_listens_nothing_changes(place: Path) -> None:
    with unix_sockets.bind(NAME, str(place), ACCESS):
        with pytest.raises(PortBusy, match="lmtp on it: another program listens there"):
            unix_sockets.bind(NAME, str(place), "mode=0600")
        assert mode(place) == 0o660
        assert [path.name for path in place.parent.iterdir()] == ["lmtp"]


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_stays(place: Path, kind: str) -> None:
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/etc/passwd")
    with pytest.raises(CannotServe, match="something is there already that is no socket, and stays"):
        unix_sockets.bind(NAME, str(place), ACCESS)
    unix_sockets.remove(str(place))
    assert place.is_symlink() or place.exists()


def test_of_all_or_none_the_one_that_was_made_goes_again(place: Path) -> None:
    with pytest.raises(CannotServe, match="the folder /no/such/folder is not there"):
        bind([endpoint(place), endpoint(Path("/no/such/folder/lmtp"))], {})
    assert not list(place.parent.iterdir())


@pytest.mark.parametrize(("kind", "name"), [("owner", "nobody-of-this-name"), ("group", "nobody-of-this-name")])
def test_nobody_of_that_name(place: Path, kind: str, name: str) -> None:
    with pytest.raises(CannotServe, match=f"name not found: '{name}', so it cannot own a socket"):
        unix_sockets.bind(NAME, str(place), f"{ACCESS} {kind}={name}")
    assert not list(place.parent.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives things away")
def test_what_nobody_else_is_to_have_is_the_services_own(place: Path) -> None:
    user, group = pwd.getpwnam("nobody"), grp.getgrnam("daemon")
    with unix_sockets.bind(NAME, str(place), f"{ACCESS} group=daemon"):
        unix_sockets.belong_to(str(place), f"{ACCESS} group=daemon", user)
        found = place.lstat()
    assert (found.st_uid, found.st_gid) == (user.pw_uid, group.gr_gid)


def test_without_root_it_says_what_is_possible(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refused)
    with pytest.raises(CannotServe, match="without root, a group that this server's user is in"):
        unix_sockets.bind(NAME, str(place), f"{ACCESS} group=daemon")
