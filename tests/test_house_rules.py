"""What ruff and mypy cannot see: docstrings of modules, RFC references, error tables, fuzz entries, schemas.

Layers are import-linter's, types mypy's. These rules are about the project as a whole.
"""

import ast
import csv
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

import mailstack
from mailstack.model.errors import DomainError
from tests.fuzz.target import Target
from tests.support.engines import ON_BOTH, ON_ONE
from tests.support.protocol_table import PAGE, protocols_page

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "mailstack"
# More than these belongs to names that hide what is inside: STYLE rule 4.
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "misc", "manager", "handler_impl", "data2"}
PARSER_PACKAGES = ("mailstack.wire", "mailstack.formats")


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_module_says_what_it_is() -> None:
    silent = [named(path) for path in python_files(SOURCE) if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent, f"without a docstring: {silent}"


def test_no_name_hides_what_is_inside() -> None:
    assert not [named(path) for path in python_files(SOURCE) if path.stem in FORBIDDEN_NAMES]


def cited_rfcs() -> dict[int, str]:
    found: dict[int, str] = {}
    for path in python_files(SOURCE):
        for number in re.findall(r"RFC[  ]?(\d{3,5})", path.read_text()):
            found.setdefault(int(number), named(path))
    return found


def listed_rfcs() -> dict[int, list[str]]:
    with (SOURCE / "rfcs.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {int(row[0]): row for row in rows}


def test_every_cited_rfc_is_listed() -> None:
    missing = {number: where for number, where in cited_rfcs().items() if number not in listed_rfcs()}
    assert not missing, f"cited, but not in rfcs.tsv: {missing}"


def test_every_rfc_listed_as_followed_is_cited() -> None:
    followed = {number for number, row in listed_rfcs().items() if row[1] in {"yes", "partial"}}
    assert not followed - cited_rfcs().keys(), "in rfcs.tsv as yes or partial, but nowhere in the code"


def test_rfcs_are_in_order_and_complete() -> None:
    rows = listed_rfcs()
    assert list(rows) == sorted(rows)
    for number, row in rows.items():
        assert len(row) == 4, f"RFC {number} needs number, support, title, note"
        assert row[1] in {"yes", "partial", "planned", "no"}
        assert row[2]


def test_the_protocol_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == protocols_page(), "run `make docs`"


def all_domain_errors() -> set[type[DomainError]]:
    def below(error: type[DomainError]) -> Iterator[type[DomainError]]:
        for child in error.__subclasses__():
            yield child
            yield from below(child)

    return set(below(DomainError))


@pytest.mark.parametrize(
    ("server", "table"),
    [
        ("smtp", "REPLIES"),
        ("imap", "RESPONSES"),
        ("http", "PROBLEMS"),
        ("managesieve", "RESPONSES"),
        ("jmap", "FAULTS"),
    ],
)
def test_every_domain_error_has_an_answer(server: str, table: str) -> None:
    answers = getattr(importlib.import_module(f"mailstack.servers.{server}.errors"), table)
    assert all_domain_errors() <= set(answers)


def parser_modules() -> list[str]:
    names = []
    for package in PARSER_PACKAGES:
        root = importlib.import_module(package)
        for found in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
            if not found.ispkg:
                names.append(found.name)
    return names


def parses(module: str) -> bool:
    """A parser takes bytes from strangers: a public function or method of that sort of name."""
    found = importlib.import_module(module)
    return any(
        re.match(r"(parse|decode|scan|feed|digest|fields|unpack)", name) and getattr(item, "__module__", "") == module
        for name, item in inspect.getmembers(found, inspect.isroutine)
    )


def fuzz_targets() -> list[Target]:
    targets: list[Target] = []
    for path in sorted((ROOT / "tests" / "fuzz").glob("targets_*.py")):
        targets.extend(importlib.import_module(f"tests.fuzz.{path.stem}").TARGETS)
    return targets


def files_reached() -> set[str]:
    """Source files in which a function ran while the targets took their seeds."""
    reached: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            reached.add(frame.f_code.co_filename)

    for target in fuzz_targets():
        for seed in target.seeds:
            sys.setprofile(note)
            try:
                target.run(seed)
            finally:
                sys.setprofile(None)
    return reached


def test_every_parser_is_reached_by_a_fuzz_target() -> None:
    reached = files_reached()
    missing = [module for module in parser_modules() if parses(module) and sys.modules[module].__file__ not in reached]
    assert not missing, f"parsers that no target in tests/fuzz reaches: {missing}"


@pytest.mark.parametrize("target", fuzz_targets(), ids=lambda target: target.name)
def test_every_fuzz_target_holds_for_its_seeds(target: Target) -> None:
    assert target.seeds
    for seed in target.seeds:
        target.run(seed)


@pytest.mark.parametrize(
    "name", ["events.schema.json", "explanation.schema.json", "mailstack.schema.json", "plan.schema.json"]
)
def test_schemas_are_json(name: str) -> None:
    assert json.loads((ROOT / "schemas" / name).read_text())["$schema"]


@pytest.mark.parametrize("start", ON_ONE)
def test_what_runs_on_one_engine_only_is_there(start: str) -> None:
    file, _, name = start.partition("::")
    assert f"def {name or 'test_'}" in (ROOT / file).read_text()
    assert start.startswith(ON_BOTH)


def test_no_package_registry_is_named() -> None:
    # An index address in the repository would send somebody else's installation there.
    registry = re.compile(
        "|".join(("py" + r"pi\.org", "python" + r"hosted\.org", "registry" + r"\.npmjs", "crates" + r"\.io"))
    )
    texts = [*list(ROOT.glob("requirements/*.txt")), ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / ".ci/run"]
    assert not [named(path) for path in texts if registry.search(path.read_text())]


def test_the_version_is_said_once() -> None:
    assert f'version = "{mailstack.__version__}"' in (ROOT / "pyproject.toml").read_text()
