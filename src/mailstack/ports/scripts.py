"""The Sieve scripts that people keep on the server, by name within an account. RFC 5804 §1.4, §1.5.

A name is nobody's path: any text that is not empty. What else it may not be, and whether a script compiles, was seen to
before.
"""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.script import Activation, EditedScripts, RunningScripts, ScriptEdit, ScriptEntry, ScriptQuota


class RunScripts(Protocol):
    """What delivery asks for."""

    async def read(self, account_id: AccountId, name: str) -> bytes:
        """Raises NotFound."""
        ...

    async def running(self, account_id: AccountId) -> RunningScripts:
        """Nothing where there is no such account."""
        ...


class Scripts(RunScripts, Protocol):
    """Durable when it returns. What writes raises NotFound also where there is no such account."""

    async def all(self, account_id: AccountId) -> Sequence[ScriptEntry]:
        """By name."""
        ...

    async def put(self, account_id: AccountId, name: str, content: bytes, *, quota: ScriptQuota) -> None:
        """In place of the one of that name, which stays active if it was. Raises as check_space does."""
        ...

    async def check_space(self, account_id: AccountId, name: str, size_octets: int, *, quota: ScriptQuota) -> None:
        """Whether put would have room now. Raises TooMany, QuotaExceeded."""
        ...

    async def activate(self, account_id: AccountId, name: str | None) -> None:
        """None: no script is to be active. At no moment are there two, or none in between. Raises NotFound."""
        ...

    async def rename(self, account_id: AccountId, name: str, new_name: str) -> None:
        """Raises NotFound, AlreadyExists."""
        ...

    async def edit(
        self,
        account_id: AccountId,
        edits: Sequence[ScriptEdit],
        *,
        activation: Activation,
        quota: ScriptQuota,
        if_number: int | None = None,
    ) -> EditedScripts:
        """All in one, each as put, rename and remove do, with what they raise as its outcome. if_number: of
        ObjectKind.SCRIPT, where that has to be as it was. Raises Conflict where it is another."""
        ...

    async def remove(self, account_id: AccountId, name: str) -> None:
        """Raises NotFound; InUse for the active one (RFC 5804 §2.10)."""
        ...
