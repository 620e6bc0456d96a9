"""The Sieve scripts that people keep on the server: named, compiled before they are kept, one of them active.

RFC 5804 §1.4-§1.6, §2.5-§2.12. Who asks has proved to be the account's; a protocol server says in its own words how it
went. Where the spec gives the account its script, that is the only one, and nobody changes it here; those of the user
rest meanwhile.
"""

import asyncio
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import NewType

from mailstack.model.errors import Forbidden, Invalid, NotFound, TooLarge
from mailstack.model.ids import AccountId, BlobId, ScriptId
from mailstack.model.script import Activation, EditedScripts, ScriptEdit, ScriptEntry, ScriptQuota
from mailstack.ports import scripts
from mailstack.ports.accounts import Accounts
from mailstack.sieve.check import compile_script
from mailstack.sieve.faults import Fault, Misplaced, placed
from mailstack.sieve.language import Extension
from mailstack.sieve.limits import LIMITS, Limits
from mailstack.sieve.run import Script

MAX_NAME_OCTETS = 512
"""RFC 5804 §1.6: names of 128 characters, which may be 512 octets, must be taken."""
# RFC 5804 §1.6: control characters, line and paragraph separators; and what UTF-8 cannot write.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
MANAGED_NAME = "mailstack"
"""What the script is called that the spec gives an account."""
MANAGED_ID = ScriptId("managed")
AT_ONCE_OCTETS = 4096
"""A larger script is compiled in a thread."""
COMPILED_AT_ONCE = 2
"""A large one may take half a second of a core."""

# What people write themselves is far smaller; each mail to them is filtered by it.
SCRIPT_LIMITS = replace(LIMITS, script_octets=64 * 1024)
CheckedEdit = NewType("CheckedEdit", ScriptEdit)
"""Fit to be kept."""
SCRIPT_QUOTA = ScriptQuota(scripts=32, octets=512 * 1024)


class AccountScripts:
    """What compiles goes by the extensions that delivery has. Names raise Invalid, contents Invalid and TooLarge; a
    script that does not compile raises sieve.faults.Broken; what would change anything raises Forbidden where the spec
    has the account's script. All else is as ports.scripts has it. global_names: of the server's scripts that others may
    include.
    """

    def __init__(
        self,
        kept: scripts.Scripts,
        accounts: Accounts,
        extensions: Sequence[Extension],
        *,
        global_names: Collection[str] = (),
        quota: ScriptQuota = SCRIPT_QUOTA,
        limits: Limits = SCRIPT_LIMITS,
    ) -> None:
        self._kept = kept
        self._accounts = accounts
        self._extensions = extensions
        self._global_names = global_names
        self._quota = quota
        self._limits = limits
        self._compiling = asyncio.Semaphore(COMPILED_AT_ONCE)

    @property
    def extensions(self) -> Sequence[str]:
        """What scripts may require, in order."""
        return sorted(extension.name for extension in self._extensions if extension.name)

    @property
    def quota(self) -> ScriptQuota:
        return self._quota

    @property
    def limits(self) -> Limits:
        return self._limits

    async def all(self, account_id: AccountId) -> Sequence[ScriptEntry]:
        managed = await self._managed(account_id)
        if managed is None:
            return await self._kept.all(account_id)
        entry = ScriptEntry(
            script_id=MANAGED_ID,
            name=MANAGED_NAME,
            size_octets=len(managed),
            content_hash=BlobId(sha256(managed).hexdigest()),
            is_active=True,
        )
        return (entry,)

    async def read(self, account_id: AccountId, name: str) -> bytes:
        name, managed = checked_name(name), await self._managed(account_id)
        if managed is None:
            return await self._kept.read(account_id, name)
        if name != MANAGED_NAME:
            raise NotFound(f"there is no script {name}")
        return managed

    async def check(self, account_id: AccountId, content: bytes) -> Sequence[Fault]:
        """RFC 5804 §2.12: no quota is looked at. Returns warnings: what a run would fail at as things are."""
        script = await self._compile(content)
        return [*self._missing(script, {one.name for one in await self.all(account_id)})] if script.includes else []

    async def put(self, account_id: AccountId, name: str, content: bytes) -> Sequence[Fault]:
        """RFC 5804 §2.6: what was there stays when this fails in any way. Returns warnings, as check does."""
        name = checked_name(name)
        await self._refuse_managed(account_id)
        script = await self._compile(content)
        await self._kept.put(account_id, name, content, quota=self._quota)
        return [*self._missing(script, {one.name for one in await self.all(account_id)})] if script.includes else []

    async def check_space(self, account_id: AccountId, name: str, size_octets: int) -> None:
        name = checked_name(name)
        await self._refuse_managed(account_id)
        self._check_size(size_octets)
        await self._kept.check_space(account_id, name, size_octets, quota=self._quota)

    async def activate(self, account_id: AccountId, name: str | None) -> None:
        name = None if name is None else checked_name(name)
        await self._refuse_managed(account_id)
        await self._kept.activate(account_id, name)

    async def checked(self, edit: ScriptEdit) -> CheckedEdit:
        """Raises as put does for its name and content, before anything is looked up."""
        name = None if edit.name is None else checked_name(edit.name)
        if edit.content is not None:
            await self._compile(edit.content)
        return CheckedEdit(replace(edit, name=name))

    async def edit(
        self,
        account_id: AccountId,
        edits: Sequence[CheckedEdit],
        *,
        activation: Activation,
        if_number: int | None = None,
    ) -> EditedScripts:
        await self._refuse_managed(account_id)
        return await self._kept.edit(account_id, edits, activation=activation, quota=self._quota, if_number=if_number)

    async def rename(self, account_id: AccountId, name: str, new_name: str) -> None:
        name, new_name = checked_name(name), checked_name(new_name)
        await self._refuse_managed(account_id)
        await self._kept.rename(account_id, name, new_name)

    async def remove(self, account_id: AccountId, name: str) -> None:
        name = checked_name(name)
        await self._refuse_managed(account_id)
        await self._kept.remove(account_id, name)

    async def _managed(self, account_id: AccountId) -> bytes | None:
        account = await self._accounts.account(account_id)
        found = None if account is None else await self._accounts.managed_script(account.login)
        # RFC 5228 §2.2: lines of a script end in CRLF; the spec keeps them as its files have them.
        return None if found is None else found.replace("\n", "\r\n").encode()

    async def _refuse_managed(self, account_id: AccountId) -> None:
        if await self._managed(account_id) is not None:
            raise Forbidden("this account's script is kept in the server's configuration, and cannot be changed here")

    async def _compile(self, content: bytes) -> Script:
        self._check_size(len(content))
        if not content:
            raise Invalid("a script is empty")  # RFC 5804 §2.6: it should be disallowed
        async with self._compiling:
            return await compile_aside(content, self._extensions, limits=self._limits)

    def _missing(self, script: Script, names: Collection[str]) -> Iterator[Fault]:
        """RFC 6609 §3.2: what is included may come later; until then a run of the script fails."""
        for include in script.includes:
            found = self._global_names if include.script.is_global else names
            if not include.is_optional and include.script.name not in found:
                kind = "global script" if include.script.is_global else "script"
                text = f"there is no {kind} {include.script.name!r} yet, and without it this one fails"
                yield placed(script.text, Misplaced(include.at, text, "include :optional does not need it"))

    def _check_size(self, size_octets: int) -> None:
        if size_octets > self._limits.script_octets:
            raise TooLarge(f"a script has at most {self._limits.script_octets} octets")


async def compile_aside(
    content: bytes, extensions: Sequence[Extension], *, limits: Limits = LIMITS, is_traced: bool = False
) -> Script:
    """As compile_script, a large one in a thread. Raises Broken."""
    work = partial(compile_script, content, extensions, limits=limits, is_traced=is_traced)
    return await asyncio.to_thread(work) if len(content) > AT_ONCE_OCTETS else work()


def checked_name(name: str) -> str:
    """RFC 5804 §1.6, RFC 5198 §2: in the form that it is kept in. A name is no path. Raises Invalid."""
    if not name:
        raise Invalid("a script name is empty")
    # Before it is brought into its form, which for many marks on one letter takes long.
    if len(name) <= MAX_NAME_OCTETS and not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_OCTETS:
        raise Invalid(f"a script name is over {MAX_NAME_OCTETS} octets")
    if not name.isprintable() and any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in name):
        raise Invalid("a script name holds control characters")
    return name
