"""What an account's values are owned by, and what a changed one would look like in the spec: as a diff, which a person
takes from there. Nothing is written.
"""

import difflib
import re
from pathlib import Path

from mailstack.app.account_owners import owners_of
from mailstack.app.api_line import JSON, Line, opened_store
from mailstack.app.api_models import OwnersRequest, ProposalRequest
from mailstack.app.api_process import Order
from mailstack.app.api_visit import own_spec
from mailstack.app.silence import Silence
from mailstack.model.errors import Invalid, NotFound
from mailstack.model.resource import Kind
from mailstack.spec.bundle import Bundle, bundle_of, unpack
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.insertion import Entry, with_value
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.secrets import SecretMissing

LISTS = frozenset({"addresses", "roles", "can"})
NO_LIMIT = "null"
_HASH = re.compile(r"(?:\$(?:argon2\w*|2[aby]|5|6)|\{[A-Z0-9-]+\}|SCRAM-SHA-256)\$(?:[^\s\"'},]|,(?=\S))+")


async def tell_owners(order: Order, request: OwnersRequest, line: Line) -> None:
    own = own_spec(Path(order.spec))
    async with opened_store(order, Silence(), read_only=True) as store:
        snapshot = await store.state.snapshot([Kind.ACCOUNT])
    line.begin(JSON)
    line.tell(fields=owners_of(request.login, snapshot.resources.get((Kind.ACCOUNT, request.login)), own))


def propose(order: Order, request: ProposalRequest, line: Line) -> None:
    """faults: those that the spec would have then."""
    own = own_spec(Path(order.spec))
    if request.login not in own.spec.accounts:
        raise NotFound(f"{request.login} is not in the spec any more")
    path = own.locator.as_written(("accounts", request.login))
    file = Path(own.locator.place(path).file)
    former = file.read_bytes().decode()
    new = with_value(former, [*map(str, path), request.key], _entry(request), str(file))
    line.begin(JSON)
    line.tell(
        file=str(file),
        diff=_diff(former, new, str(file)),
        faults=_faults(own, file, new),
    )


def _diff(former: str, new: str, file: str) -> list[str]:
    """Without the hashes that may stand around what is changed: nobody needs to see them for that."""
    lines = difflib.unified_diff(former.splitlines(), new.splitlines(), file, file, lineterm="", n=1)
    return [_HASH.sub("(secret)", line) for line in lines]


def _entry(request: ProposalRequest) -> Entry:
    text = request.value.strip()
    if not text.isprintable():
        raise Invalid("the value is one line, without control characters")
    if request.key in LISTS:
        return text.replace(",", " ").split()
    return None if request.key == "quota" and text in ("", NO_LIMIT) else text


def _faults(own: LoadedSpec, file: Path, new: str) -> list[str]:
    """In the working folder, which is this process's own."""
    bundle = bundle_of(own, _no_secret)
    if file == own.path:
        changed = Bundle(main=new, files=bundle.files, secrets={})
    else:
        name = file.relative_to(own.path.parent).as_posix()
        changed = Bundle(main=bundle.main, files={**bundle.files, name: new}, secrets={})
    try:
        load_spec(unpack(changed, Path()))
    except SpecInvalid as invalid:
        return [f"{fault.path}: {fault.message}" for fault in invalid.shown]
    return []


def _no_secret(reference: str, _directory: Path) -> str:
    raise SecretMissing(reference)
