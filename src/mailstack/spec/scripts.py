"""The Sieve scripts that a spec names: found in its raw values, and read with its other files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault
from mailstack.spec.faults import Path as FaultPath
from mailstack.spec.include import MAX_FILES, MAX_TOTAL_BYTES, Reading
from mailstack.spec.outline import items, mapping, section
from mailstack.spec.sections.sieve import parse_script_path
from mailstack.spec.yaml_values import Value

MAX_SCRIPT_BYTES = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripts:
    """contents: by path, relative to the main file, as the models have it."""

    contents: Mapping[Path, bytes]
    faults: tuple[Fault, ...] = field(default=())

    def texts(self) -> dict[Path, str]:
        """For scripts that are sound. Lines end in LF."""
        return {path: text_of(content) for path, content in self.contents.items()}


def text_of(content: bytes) -> str:
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def named_scripts(values: Mapping[str, Value]) -> Iterator[tuple[FaultPath, Path]]:
    """Where the spec names a script, and which; what has the wrong shape is the models' to report."""
    for place, value in _entries(values):
        file = mapping(value).get("file")
        try:
            yield (*place, "file"), parse_script_path(file)
        except ValueError:
            continue


def _entries(values: Mapping[str, Value]) -> Iterator[tuple[FaultPath, Value]]:
    for login, account in section(values, "accounts").items():
        if (value := mapping(account).get("sieve")) is not None:
            yield ("accounts", login, "sieve"), value
    sieve = section(values, "sieve")
    for key in ("before", "after"):
        for index, value in enumerate(items(sieve.get(key))):
            yield ("sieve", key, index), value
    for name, value in mapping(sieve.get("global")).items():
        yield ("sieve", "global", name), value


def read_scripts(reading: Reading, document: Document) -> Scripts:
    """They become part of `reading`."""
    contents: dict[Path, bytes] = {}
    reasons: dict[Path, str] = {}
    faults: list[Fault] = []
    for place, path in named_scripts(document.values):
        if path not in contents and path not in reasons:
            content = _read(reading, path)
            if isinstance(content, bytes):
                contents[path] = content
            else:
                reasons[path] = content
        if path in reasons:
            faults.append(document.fault(place, reasons[path]))
    return Scripts(contents=contents, faults=tuple(faults))


def _read(reading: Reading, path: Path) -> bytes | str:
    """The content, or why there is none."""
    file = reading.directory / path
    try:
        # Opening a FIFO would wait for whoever writes to it.
        if file.exists() and not file.is_file():
            return f"{file} is not a regular file"
        with file.open("rb") as stream:
            content = stream.read(MAX_SCRIPT_BYTES + 1)
    except OSError as fault:
        return f"{file} cannot be read: {fault.strerror or fault}"
    if len(content) > MAX_SCRIPT_BYTES:
        return f"{file} is over {MAX_SCRIPT_BYTES >> 10} KiB"
    reading.contents[file] = content
    reading.total_bytes += len(content)
    if len(reading.contents) > MAX_FILES or reading.total_bytes > MAX_TOTAL_BYTES:
        return f"more than {MAX_FILES} files or {MAX_TOTAL_BYTES >> 20} MiB are read"
    return content
