"""A change that an administrator asks for, made in the text of the file of the spec that it belongs in, and what would
be wrong with the whole spec then. Nothing is written where the spec lies.
"""

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mailstack.app.api_models import ChangeRequest
from mailstack.model.errors import Forbidden, Invalid, Unsupported
from mailstack.spec.alteration import with_value, without
from mailstack.spec.editable import ACCOUNTS, ALIASES, LISTS, TARGETS, Key, entry_of, keys_of
from mailstack.spec.faults import Fault, SpecInvalid
from mailstack.spec.insertion import Entry
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.upgrade import VERSION
from mailstack.spec.values import parse_address_key, parse_domain

_HASH = re.compile(r"(?:\$(?:argon2\w*|2[aby]|5|6)|\{[A-Z0-9-]+\}|SCRAM-SHA-256)\$(?:[^\s\"'},]|,(?=\S))+")
_ADDRESSES = frozenset({ACCOUNTS, ALIASES, LISTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The text of one file, before and after."""

    file: Path
    former: str
    new: str

    @property
    def before(self) -> str:
        return hash_of(self.former)

    @property
    def after(self) -> str:
        return hash_of(self.new)

    @property
    def diff(self) -> list[str]:
        """Without the hashes that may stand around what is changed: nobody needs to see them for that."""
        name = str(self.file)
        lines = difflib.unified_diff(self.former.splitlines(), self.new.splitlines(), name, name, lineterm="", n=1)
        return [_HASH.sub("(secret)", line) for line in lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """digest: of the whole spec with the draft in it, "" where it has faults then; they have their places in the real
    files."""

    digest: str
    faults: tuple[Fault, ...]


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def draft_of(own: LoadedSpec, change: ChangeRequest) -> Draft:
    """Raises NotFound, Invalid, Unsupported where only a person can change it."""
    if own.spec.reconcile.admin_edits == "off":
        raise Forbidden("reconcile.admin_edits is off: the spec is changed where it is kept, and not from here")
    if own.version != VERSION:
        raise Unsupported(f"{own.path} is of the older version {own.version}: mailstack upgrade-spec comes first")
    path = entry_path(own, change.section, change.name)
    if change.act == "add":
        return _with_new(own, change, path[-1])
    file = Path(own.locator.place(path).file)
    former = text_of(file)
    if change.act == "remove":
        return Draft(file=file, former=former, new=without(former, path, str(file)))
    new = former
    for name, text in change.values.items():
        new = _with_one(own, new, path, key_of(change.section, name), text, str(file))
    return Draft(file=file, former=former, new=new)


def entry_path(own: LoadedSpec, section: str, name: str) -> tuple[str, ...]:
    """As the file spells it; as it was asked for where there is none. Raises Invalid for what is no such name."""
    try:
        known = (parse_address_key if section in _ADDRESSES else parse_domain)(name.strip())
    except ValueError as fault:
        raise Invalid(f"{section}: {fault}") from None
    if own.locator.says((section, known)):
        return tuple(map(str, own.locator.as_written((section, known))))
    return section, name.strip()


def key_of(section: str, name: str) -> Key:
    found = keys_of(section).get(name)
    if found is None:
        raise Invalid(f"{name} of {section} is changed in the spec itself, and not from here")
    return found


def text_of(file: Path) -> str:
    """Line ends as they are."""
    return file.read_bytes().decode()


def checked(own: LoadedSpec, draft: Draft) -> Checked:
    """The whole spec, in the working folder, which is this process's own and empty."""
    for file in own.files:
        copy = _copy_of(own, file)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(draft.new.encode() if file == draft.file else file.read_bytes())
    try:
        loaded = load_spec(_copy_of(own, own.path), directory=own.path.parent)
    except SpecInvalid as invalid:
        places = {str(_copy_of(own, file)): str(file) for file in own.files}
        faults = (replace(each, file=places.get(each.file, each.file)) for each in invalid.shown)
        return Checked(digest="", faults=tuple(faults))
    return Checked(digest=loaded.digest, faults=())


def _copy_of(own: LoadedSpec, file: Path) -> Path:
    return Path() / file.relative_to(own.path.parent)


def _with_one(own: LoadedSpec, text: str, path: tuple[str, ...], key: Key, value: str, file: str) -> str:
    whole = (*path, *key.path)
    if value.strip():
        return with_value(text, whole, entry_of(key, value, own.locator.value(whole)), file)
    if key.name == TARGETS:
        raise Invalid("an alias stands for one address or more; it can be taken out as a whole")
    around = own.locator.value(whole[:-1])
    is_alone = len(key.path) > 1 and isinstance(around, dict) and len(around) == 1
    return without(text, whole[:-1] if is_alone else whole, file)


def _with_new(own: LoadedSpec, change: ChangeRequest, name: str) -> Draft:
    if own.locator.says((change.section, name)):
        raise Invalid(f"{name} is in the spec already")
    file = _file_for(own, change.section, name)
    former = text_of(file)
    entry = _entry(change)
    return Draft(file=file, former=former, new=with_value(former, (change.section, name), entry, str(file)))


def _entry(change: ChangeRequest) -> Entry:
    found: dict[str, Entry] = {}
    for name, text in change.values.items():
        if not text.strip():
            continue
        key = key_of(change.section, name)
        value = entry_of(key, text, None)
        if key.name == TARGETS:
            return value
        _put(found, key.path, value)
    if change.section == ALIASES:
        raise Invalid("an alias stands for one address or more")
    return found


def _put(entry: dict[str, Entry], path: tuple[str, ...], value: Entry) -> None:
    name, *rest = path
    if not rest:
        entry[name] = value
        return
    inner = entry.get(name)
    below: dict[str, Entry] = dict(inner) if isinstance(inner, Mapping) else {}
    _put(below, tuple(rest), value)
    entry[name] = below


def _file_for(own: LoadedSpec, section: str, name: str) -> Path:
    """Where the last of its domain stands, else the last of its section; the main file where it has none."""
    names = own.locator.names(section)
    domain = name.rpartition("@")[2].lower()
    near = [other for other in names if other.rpartition("@")[2].lower() == domain] or names
    return Path(own.locator.place((section, near[-1])).file) if near else own.path
