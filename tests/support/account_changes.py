"""What an apply does to an account: the store first, then every worker's commit."""

from dataclasses import replace

from mailstack.model.resource import AccountBody, Kind, Operation, Resource, ResourceChange, body_of, fields_of
from mailstack.services.identity.passwords import HashCost, hash_password
from tests.support.imap_server import RunningImap


async def change_account(
    server: RunningImap, login: str, operation: Operation, *, password: str = "", can: tuple[str, ...] = ()
) -> None:
    state = server.store.state
    resources = (await state.snapshot({Kind.ACCOUNT})).resources.values()
    (resource,) = (each for each in resources if each.name == login)
    if can:
        body = replace(body_of(AccountBody, resource), abilities=can)
        resource = Resource(kind=resource.kind, name=resource.name, fields=fields_of(body))
    secrets = {"password": hash_password(password, cost=HashCost.LOW)} if password else {}
    change = ResourceChange(operation=operation, resource=resource, secrets=secrets)
    await state.commit([change], base=await state.generation(), spec_hash="test")
    server.store.accounts.recheck()
    await server.imap.recheck_logins()
