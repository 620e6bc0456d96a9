"""Whole specs with their tests: those that pass, those that fail, and those that cannot be carried out."""

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from mailstack.app.spec_tests import letter
from mailstack.app.spec_tests.result import Outcome
from mailstack.app.spec_tests.run import cases_of, run
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.load import load_spec
from tests.support.spec_tests import DELIVERY, FAILURES, results_of, write_spec

ROOT = Path(__file__).parent.parent.parent.parent


@pytest.mark.parametrize("path", DELIVERY, ids=lambda path: path.stem)
async def test_mail_is_delivered_as_the_table_says(path: Path) -> None:
    results = await results_of(path)
    assert [(result.name, result.differences, result.trouble) for result in results if result.outcome != "passed"] == []
    assert results


def test_there_are_enough_delivery_tables() -> None:
    assert len(DELIVERY) >= 12


async def test_the_tests_of_the_example_pass() -> None:
    results = await results_of(ROOT / "mailstack.yaml.example")
    assert [result.name for result in results if result.outcome is not Outcome.PASSED] == []
    assert len(results) >= 10


async def test_every_test_that_should_fail_does() -> None:
    results = await results_of(FAILURES)
    assert [result.name for result in results if result.outcome is not Outcome.FAILED] == ["this one passes"]


async def test_the_order_of_tests_changes_nothing() -> None:
    loaded = load_spec(FAILURES)
    cases = list(cases_of(loaded))
    found = {result.name: result async for result in run(loaded, cases, lambda: 0.0)}
    random.Random(4).shuffle(cases)
    again = {result.name: result async for result in run(loaded, cases, lambda: 0.0)}
    assert found == again


async def test_each_test_begins_with_empty_mailboxes(tmp_path: Path) -> None:
    test = "{{name: {}, send: {{from: x@y.example, to: alice@example.com}}, expect: {{delivered: alice@example.com}}}}"
    path = write_spec(tmp_path, "".join(f"  - {test.format(name)}\n" for name in ("one", "two", "three")))
    assert [result.outcome for result in await results_of(path)] == [Outcome.PASSED] * 3


async def test_a_test_knows_its_line_and_its_time(tmp_path: Path) -> None:
    (tmp_path / "tests.yaml").write_text(
        "tests:\n  - {name: first, dns: {name: example.com, type: MX}, expect: {count: 1}}\n"
        "  - name: second\n    dns: {name: example.com, type: MX}\n    expect: {count: 1}\n"
    )
    path = tmp_path / "spec.yaml"
    path.write_text("server: {hostname: mail.example.com}\ndomains: {example.com: }\ninclude: [tests.yaml]\n")
    results = await results_of(path)
    assert [str(result.place) for result in results] == [f"{tmp_path}/tests.yaml:2:5", f"{tmp_path}/tests.yaml:3:5"]
    assert [result.duration_s for result in results] == [1.0, 1.0]


async def test_an_error_in_one_test_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    loaded = load_spec(write_spec(tmp_path, _three_tests()))
    first, second, third = cases_of(loaded)
    assert second.test.send is not None
    # A sender that the models would not let through: the client cannot even say it.
    broken = second.test.send.model_copy(update={"from_": 5})
    cases = [first, replace(second, test=second.test.model_copy(update={"send": broken})), third]
    results = [result async for result in run(loaded, cases, lambda: 0.0)]
    assert [result.outcome for result in results] == [Outcome.PASSED, Outcome.ERROR, Outcome.PASSED]
    assert "Traceback" in results[1].trouble


async def test_a_header_that_fits_no_line_is_an_error_of_its_test(tmp_path: Path) -> None:
    test = f"{{from: x@y.example, to: alice@example.com, headers: {{From: {'a' * 1_000}@y.example}}}}"
    path = write_spec(tmp_path, f"  - {{name: long, send: {test}, expect: {{rejected: true}}}}\n")
    (result,) = await results_of(path)
    assert result.outcome is Outcome.ERROR
    assert "fits no line" in result.trouble


@pytest.mark.parametrize(("text", "names"), [("", ["one", "Two", "three"]), ("tw", ["Two"]), ("T", ["Two", "three"])])
def test_the_filter_looks_into_names_in_any_case(tmp_path: Path, text: str, names: list[str]) -> None:
    cases = cases_of(load_spec(write_spec(tmp_path, _three_tests())), text)
    assert [case.test.name for case in cases] == names


def test_message_files_that_cannot_be_read_are_faults_of_the_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large.eml").write_bytes(b"x" * 100)
    (tmp_path / "folder.eml").mkdir()
    os.mkfifo(tmp_path / "fifo.eml")
    monkeypatch.setattr(letter, "MAX_FILE_BYTES", 99)
    send = "{{from: x@y.example, to: alice@example.com, eml: {}.eml}}"
    tests = "".join(
        f"  - {{name: {name}, send: {send.format(name)}, expect: {{rejected: true}}}}\n"
        for name in ("gone", "large", "folder", "fifo")
    )
    loaded = load_spec(write_spec(tmp_path, tests))
    with pytest.raises(SpecInvalid) as caught:
        cases_of(loaded)
    assert [(fault.line, fault.path, fault.message.rpartition(": ")[2]) for fault in caught.value.faults] == [
        (6, "tests[0].send.eml", "No such file or directory"),
        (7, "tests[1].send.eml", f"{tmp_path}/large.eml is over 0 MiB"),
        (8, "tests[2].send.eml", f"{tmp_path}/folder.eml is not a regular file"),
        (9, "tests[3].send.eml", f"{tmp_path}/fifo.eml is not a regular file"),
    ]
    assert cases_of(loaded, "no such name") == ()


async def test_no_secret_no_certificate_and_no_server_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = """\
server: {hostname: mail.example.com}
storage: {path: /nowhere/at/all}
tls: {issuer: files, files: [{certificate: gone.pem, key: file/gone.key}]}
dns:
  providers: {p: {class: octodns_bind.Rfc2136Provider, host: 192.0.2.53, key_secret: env/NOT_SET}}
  zones: {example.com: {provider: p}}
domains:
  example.com: {dkim: {keys: [{selector: old, algorithm: rsa2048, private_key: file/gone.pem}]}}
accounts: {alice@example.com: {password: file/gone}}
relays: {ses: {host: relay.example.com, username: env/NOT_SET, password: file/gone}}
routes: [{via: ses}]
"""
    test = "{name: out, send: {as: alice@example.com, to: x@y.example}, expect: {forwarded: {x@y.example: ses}}}"
    path = write_spec(tmp_path, f"  - {test}\n", head)
    monkeypatch.chdir(tmp_path)
    assert [result.outcome for result in await results_of(path)] == [Outcome.PASSED]
    assert os.listdir(tmp_path) == ["spec.yaml"]  # noqa: PTH208  a path's iterdir may not stand here


async def test_a_server_that_hangs_up_refuses_what_is_left(tmp_path: Path) -> None:
    unknown = ", ".join(f"nobody{number}@example.com" for number in range(25))
    send = f"{{from: x@y.example, to: [{unknown}, alice@example.com]}}"
    path = write_spec(tmp_path, f"  - {{name: trying out names, send: {send}, expect: {{rejected: 421}}}}\n")
    (result,) = await results_of(path)
    assert (result.outcome, result.differences) == (Outcome.PASSED, ())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("example.com", "the name has MX, TXT"),
        ("_dmark.example.com", "no record has this name; did you mean _dmarc.example.com?"),
        ("nothing.like.it.example", "no record has this name"),
    ],
)
async def test_a_record_that_is_not_there_has_a_hint(tmp_path: Path, name: str, hint: str) -> None:
    test = f"{{name: a, dns: {{name: {name}, type: AAAA}}, expect: {{count: 1}}}}"
    (result,) = await results_of(write_spec(tmp_path, f"  - {test}\n"))
    assert [step.notes for step in result.story] == [(hint,)]


def _three_tests() -> str:
    test = "{{name: {}, send: {{from: x@y.example, to: alice@example.com}}, expect: {{delivered: alice@example.com}}}}"
    return "".join(f"  - {test.format(name)}\n" for name in ("one", "Two", "three"))
