"""The Sieve scripts that people keep on the server: named, compiled before they are kept, one of them active.

RFC 5804 §1.4-§1.6, §2.5-§2.12. Who asks has proved to be the account's; a protocol server says in its own words how it
went.
"""

import asyncio
import unicodedata
from collections.abc import Sequence

from mailstack.model.errors import Invalid, TooLarge
from mailstack.model.ids import AccountId
from mailstack.model.script import ScriptEntry, ScriptQuota
from mailstack.ports import scripts
from mailstack.sieve.check import compile_script
from mailstack.sieve.language import Extension
from mailstack.sieve.limits import LIMITS, Limits
from mailstack.sieve.run import Script

MAX_NAME_OCTETS = 512
"""RFC 5804 §1.6: names of 128 characters, which may be 512 octets, must be taken."""
# RFC 5804 §1.6: control characters, line and paragraph separators; and what UTF-8 cannot write.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
AT_ONCE_OCTETS = 4096
"""A larger script is compiled in a thread."""


class AccountScripts:
    """What compiles goes by the extensions that delivery has. Names and contents raise Invalid and TooLarge;
    a script that does not compile raises sieve.faults.Broken. All else is as ports.scripts has it.
    """

    def __init__(
        self,
        kept: scripts.Scripts,
        extensions: Sequence[Extension],
        *,
        quota: ScriptQuota,
        limits: Limits = LIMITS,
    ) -> None:
        self._kept = kept
        self._extensions = extensions
        self._quota = quota
        self._limits = limits

    async def all(self, account_id: AccountId) -> Sequence[ScriptEntry]:
        return await self._kept.all(account_id)

    async def read(self, account_id: AccountId, name: str) -> bytes:
        return await self._kept.read(account_id, checked_name(name))

    async def check(self, content: bytes) -> Script:
        """RFC 5804 §2.12: no quota is looked at."""
        self._check_size(len(content))
        if not content:
            raise Invalid("a script is empty")  # RFC 5804 §2.6: it should be disallowed
        if len(content) <= AT_ONCE_OCTETS:
            return self._compiled(content)
        return await asyncio.to_thread(self._compiled, content)

    async def put(self, account_id: AccountId, name: str, content: bytes) -> None:
        """RFC 5804 §2.6: what was there stays when this fails in any way."""
        name = checked_name(name)
        await self.check(content)
        await self._kept.put(account_id, name, content, quota=self._quota)

    async def check_space(self, account_id: AccountId, name: str, size_octets: int) -> None:
        name = checked_name(name)
        self._check_size(size_octets)
        await self._kept.check_space(account_id, name, size_octets, quota=self._quota)

    async def activate(self, account_id: AccountId, name: str | None) -> None:
        await self._kept.activate(account_id, None if name is None else checked_name(name))

    async def rename(self, account_id: AccountId, name: str, new_name: str) -> None:
        await self._kept.rename(account_id, checked_name(name), checked_name(new_name))

    async def remove(self, account_id: AccountId, name: str) -> None:
        await self._kept.remove(account_id, checked_name(name))

    def _compiled(self, content: bytes) -> Script:
        return compile_script(content, self._extensions, limits=self._limits)

    def _check_size(self, size_octets: int) -> None:
        if size_octets > self._limits.script_octets:
            raise TooLarge(f"a script has at most {self._limits.script_octets} octets")


def checked_name(name: str) -> str:
    """RFC 5804 §1.6, RFC 5198 §2: in the form that it is kept in. A name is no path. Raises Invalid, TooLarge."""
    if not name:
        raise Invalid("a script name is empty")
    # Before it is brought into its form, which for many marks on one letter takes long.
    if len(name) <= MAX_NAME_OCTETS and not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_OCTETS:
        raise TooLarge(f"a script name is over {MAX_NAME_OCTETS} octets")
    if not name.isprintable() and any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in name):
        raise Invalid("a script name holds control characters")
    return name
