"""What an apply does to an account in the store; what a worker does then, its test does."""

from dataclasses import replace

from mailstack.model.resource import AccountBody, Kind, Operation, Resource, ResourceChange, body_of, fields_of
from mailstack.services.identity.passwords import HashCost, hash_password
from mailstack.store.sqlite.open import SqliteStore


async def change_account(
    store: SqliteStore, login: str, operation: Operation, *, password: str = "", can: tuple[str, ...] = ()
) -> None:
    state = store.state
    resources = (await state.snapshot({Kind.ACCOUNT})).resources.values()
    (resource,) = (each for each in resources if each.name == login)
    if can:
        body = replace(body_of(AccountBody, resource), abilities=can)
        resource = Resource(kind=resource.kind, name=resource.name, fields=fields_of(body))
    secrets = {"password": hash_password(password, cost=HashCost.LOW)} if password else {}
    change = ResourceChange(operation=operation, resource=resource, secrets=secrets)
    await state.commit([change], base=await state.generation(), spec_hash="test")
    store.accounts.recheck()
