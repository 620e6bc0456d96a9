"""Whole specs: every golden fault has its exact text, every good spec its exact values.

MAILSTACK_GOLDEN=write renews them all.
"""

import gc
from pathlib import Path

import pytest

from mailstack.spec.explain import NOT_YET
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import load_spec
from tests.support.golden_spec import FAULTS, GOOD, agrees, json_text, parsed

MINIMAL = "server: {hostname: mail.example.com}\ndomains: {example.com: }\n"
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("folder", FAULTS, ids=lambda folder: folder.name)
def test_golden_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SpecInvalid) as caught:
        load_spec(Path("spec.yaml"))
    assert agrees(folder / "expected.txt", f"{caught.value}\n")


@pytest.mark.parametrize("folder", GOOD, ids=lambda folder: folder.name)
def test_golden_spec(folder: Path) -> None:
    assert agrees(folder / "expected.json", json_text(parsed(load_spec(folder / "spec.yaml"))))


def test_there_are_enough_golden_faults() -> None:
    assert len(FAULTS) >= 45


def test_of_the_whole_format_nothing_is_wrong_but_what_is_still_to_come() -> None:
    """The golden file says which keys those are: they leave it one by one, and then it is a good spec."""
    with pytest.raises(SpecInvalid) as caught:
        load_spec(ROOT / "tests" / "data" / "spec" / "faults" / "the_whole_format" / "spec.yaml")
    assert [fault.message for fault in caught.value.faults if NOT_YET not in fault.message] == []


def test_the_example_holds_together() -> None:
    loaded = load_spec(ROOT / "mailstack.yaml.example")
    assert len(loaded.spec.accounts) == 4


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid) as caught:
        load_spec(tmp_path / "gone.yaml")
    assert str(caught.value) == f"{tmp_path}/gone.yaml: cannot be read: No such file or directory"


def test_a_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid) as caught:
        load_spec(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_faults_are_sorted_and_no_two_alike(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("z: 1\na: 1\nserver: {hostname: mail.example.com}\n")
    with pytest.raises(SpecInvalid) as caught:
        load_spec(tmp_path / "spec.yaml")
    faults = caught.value.faults
    assert list(faults) == sorted(set(faults))
    assert {(fault.line, fault.path) for fault in faults} == {(1, "z"), (1, "domains"), (2, "a")}


def test_a_script_is_part_of_the_spec_that_names_it(tmp_path: Path) -> None:
    path, script = tmp_path / "spec.yaml", tmp_path / "all.sieve"
    path.write_text(MINIMAL + "sieve: {before: [{file: all.sieve}]}\n")
    script.write_bytes(b"\xef\xbb\xbf# one\r\nkeep;\r\n")
    first = load_spec(path)
    assert first.files == (path, script)
    assert first.scripts == {Path("all.sieve"): "# one\nkeep;\n"}
    script.write_bytes(b"# two\nkeep;\n")
    assert load_spec(path).digest != first.digest


def test_the_digest_is_of_names_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    (tmp_path / "more.yaml").write_text("aliases: {}\n")
    path.write_text(MINIMAL + "include: [more.yaml]\n")
    first = load_spec(path)
    assert load_spec(path).digest == first.digest
    assert first.files == (path, tmp_path / "more.yaml")
    (tmp_path / "more.yaml").write_text("aliases: {} \n")
    assert load_spec(path).digest != first.digest


def test_the_digest_does_not_depend_on_the_folder(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "spec.yaml").write_text(MINIMAL)
        digests.add(load_spec(tmp_path / name / "spec.yaml").digest)
    assert len(digests) == 1


def test_no_secret_shows_in_the_text_of_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        MINIMAL
        + "accounts: {a@example.com: {password: file/hidden-path}}\n"
        + "relays: {r: {host: relay.example, username: hidden-name, password: env/HIDDEN}}\n"
    )
    loaded = load_spec(path)
    shown = repr(loaded) + str(loaded.spec) + loaded.spec.model_dump_json()
    assert "hidden" not in shown.lower()


def test_a_plain_password_never_shows_in_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        MINIMAL
        + "accounts: {a@example.com: {password: hunter2}, b@example.com: {password: [hunter2]}}\n"
        + "relays: {r: {host: relay.example, username: [hunter2], password: hunter2}}\n"
        + "dns: {providers: {p: {class: a.B, token: hunter2}}}\n"
    )
    with pytest.raises(SpecInvalid) as caught:
        load_spec(path)
    assert len(caught.value.faults) == 5
    assert "hunter2" not in str(caught.value)


def test_the_collector_runs_again_afterwards(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid):
        load_spec(tmp_path / "gone.yaml")
    assert gc.isenabled()


def test_faults_of_many_accounts_are_found_in_time(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    lines = "".join(f"  user{i}@example.com: {{quotta: 1GiB, addresses: [user{i}@exmple.com]}}\n" for i in range(2_000))
    path.write_text(MINIMAL + "accounts:\n" + lines)
    with pytest.raises(SpecInvalid) as caught:
        load_spec(path)
    assert len(caught.value.faults) == 4_000
    assert all("did you mean" in fault.message for fault in caught.value.faults)


def test_a_script_that_is_too_large_is_a_fault_and_one_that_just_fits_is_none(tmp_path: Path) -> None:
    path, script = tmp_path / "spec.yaml", tmp_path / "all.sieve"
    path.write_text(MINIMAL + "sieve: {before: [{file: all.sieve}]}\n")
    script.write_text("#" + "x" * 65_534 + "\n")
    load_spec(path)
    script.write_text("#" + "x" * 65_535 + "\n")
    with pytest.raises(SpecInvalid) as caught:
        load_spec(path)
    assert str(caught.value) == f"{path}:3:25: sieve.before[0].file: {script} is over 64 KiB"
