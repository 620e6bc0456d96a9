"""A plan kept in a file between `plan -o` and `apply`: what was read is what is done, or nothing is.

The file holds no secret and no orders: apply plans anew from the spec and compares. Nor does it tell anybody whether a
guess at a secret is right; before the first apply there is no key for that, and secrets are not compared.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mailstack.cli.screen import fail
from mailstack.reconcile.plan import FORMAT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailstack.reconcile.binding import SecretName
    from mailstack.reconcile.plan import Plan

LARGEST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """secrets: their digests, as reconcile.binding has them."""

    spec_path: str
    spec_hash: str
    live_hash: str
    plan_hash: str
    secrets: "Mapping[SecretName, str]"


def save(plan: "Plan", file: Path) -> None:
    """Whole or not at all."""
    from mailstack.reconcile.plan import document

    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(document(plan), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def read_saved(file: Path) -> SavedPlan | None:
    """None: it is no kept plan, so it must be a spec. A spec written as JSON is one too."""
    try:
        with file.open("rb") as opened:
            if not opened.read(64).lstrip().startswith(b"{") or file.stat().st_size > LARGEST_BYTES:
                return None
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or "plan_hash" not in found:
        return None
    if found.get("format") != FORMAT:
        fail(f"{file} was kept by another version of mailstack; plan again")
    from mailstack.model.errors import Unsupported
    from mailstack.reconcile.binding import digests_of
    from mailstack.reconcile.plan_json import plan_of

    try:
        plan = plan_of(found)
    except Unsupported as fault:
        fail(f"{file} is no whole plan: {fault.detail}; plan again")
    return SavedPlan(
        spec_path=plan.spec_path,
        spec_hash=plan.spec_hash,
        live_hash=plan.live_hash,
        plan_hash=plan.plan_hash,
        secrets=digests_of(plan.changes),
    )


def refuse_stale(saved: SavedPlan, plan: "Plan") -> None:
    """Ends the command where apply would now do anything but what was kept."""
    from mailstack.reconcile.binding import moved_secret

    if saved.spec_hash != plan.spec_hash:
        fail(f"{saved.spec_path} has changed since the plan was made; nothing was changed, plan again")
    if saved.live_hash != plan.live_hash:
        fail("the server or its DNS has changed since the plan was made; nothing was changed, plan again")
    if moved := moved_secret(saved.secrets, plan):
        kind, name, secret = moved
        is_planned = moved in saved.secrets
        told = (
            "is another one than when the plan was made" if is_planned else "would change too, and was not planned to"
        )
        fail(f"the {secret} of {kind} {name} {told}; nothing was changed, plan again")
    if saved.plan_hash != plan.plan_hash:
        fail(
            "apply would do something else now than the plan says, and nothing was changed: plan again"
            " (--no-dns counts for both or for neither)"
        )
