"""Finding the storage of specs that nothing else can be done with."""

from pathlib import Path

import pytest

from mailstack.app.store_address import StoreAddress
from mailstack.app.whereabouts import find_storage

DEFAULT = Path("/var/lib/mailstack")


@pytest.mark.parametrize(
    ("text", "storage"),
    [
        ("storage: {path: state}\n", "state"),
        ("storage:\n  path: /srv/mail\nnonsense: 1\n", "/srv/mail"),
        ("server: }\nstorage: {path: state}\n", "state"),
        ("server: }\nstorage:  # here\n\n  # there\n  path: 'my mail'  # quoted\n", "my mail"),
        ("server: }\nstorage:\n\tpath: state\n", "state"),
        ("server: {}\n", str(DEFAULT)),
        ("storage: [path]\n", str(DEFAULT)),
        ("storage: {path: [x]}\n", str(DEFAULT)),
        ("}", str(DEFAULT)),
        ("", str(DEFAULT)),
    ],
)
def test_what_the_text_says(tmp_path: Path, text: str, storage: str) -> None:
    spec = tmp_path / "mail.yaml"
    spec.write_text(text)
    found = find_storage(spec)
    assert found.storage == StoreAddress(folder=tmp_path / storage)
    assert found.folder == tmp_path / storage
    assert found.files == (spec,)


def test_what_an_included_file_says_is_relative_to_that_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "one.yaml").write_text("storage: {path: state}\n")
    spec = tmp_path / "mail.yaml"
    spec.write_text("include: [parts/one.yaml]\nnonsense: 1\n")
    found = find_storage(spec)
    assert found.folder == tmp_path / "parts" / "state"
    assert found.files == (spec, tmp_path / "parts" / "one.yaml")


def test_no_file_at_all(tmp_path: Path) -> None:
    assert find_storage(tmp_path / "missing.yaml").storage == StoreAddress(folder=DEFAULT)


@pytest.mark.parametrize(
    "text",
    [
        "storage: {path: state, database: env/NOT_THERE}\n",
        "storage:\n  path: state\n  database: [x]\n",
        "server: }\nstorage: {path: state, database: env/DATABASE}\n",
        "server: }\nstorage:\n  path: state\n  # here\n  database: env/DATABASE\n",
    ],
)
def test_a_database_that_cannot_be_said_is_not_taken_for_what_its_folder_held_before(tmp_path: Path, text: str) -> None:
    spec = tmp_path / "mail.yaml"
    spec.write_text(text)
    found = find_storage(spec)
    assert (found.folder, found.storage) == (tmp_path / "state", None)


def test_a_database_in_a_comment_is_none(tmp_path: Path) -> None:
    spec = tmp_path / "mail.yaml"
    spec.write_text("server: }\nstorage:\n  path: state\n  # database: env/DATABASE\n")
    assert find_storage(spec).storage == StoreAddress(folder=tmp_path / "state")
