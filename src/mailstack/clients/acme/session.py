"""One order with one authority, step by step, through the acme library. Blocking: each step runs in a thread.

RFC 8555 §7.1 (directory), §7.3 (accounts), §7.4 (orders), §7.5 (authorizations); RFC 8737 §3; RFC 9773 (renewals).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import requests
from acme import challenges, messages
from acme.client import ClientV2
from acme.errors import ConflictError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from josepy.b64 import b64encode
from josepy.jwk import JWKEC

from mailstack.clients.acme.client import Client
from mailstack.clients.acme.network import PatientNetwork, retry_after
from mailstack.clients.acme.problems import Problem
from mailstack.clients.acme.renewal import certificate_id, renewal_info
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.model.issuance import AcmeAccount, NotIssued, Order, Proof, ProofMethod, Registration, RenewalInfo

LOOK_EVERY_MS = SECOND_MS
RATE_LIMITED = "rateLimited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One authorization that is still to be won. challenge: the library's object, which knows where to answer."""

    authorization: messages.AuthorizationResource
    challenge: messages.ChallengeBody
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Of one authorization, or of the order. problem: the authority's, where it failed. wait_s: before it is worth
    asking again. chain: the certificate's, PEM, once the order is fulfilled."""

    is_pending: bool
    problem: Problem | None = None
    wait_s: float = 0.0
    chain: str = ""


class NoSuchChallenge(Exception):
    """The authority offers other ways of proof for this name; str() says which."""


class Session:
    def __init__(self, account: AcmeAccount, *, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        key = JWKEC.load(account.key.encode("ascii"))
        self._key = key
        self._net = PatientNetwork(key, ca_file=account.ca_file, clock=clock)
        self._client: Client
        self._order: messages.OrderResource

    @property
    def not_before(self) -> Instant | None:
        return self._net.not_before

    @property
    def registration(self) -> Registration:
        """Once it is open."""
        names = self._client.directory.meta.caa_identities or ()
        known = self._net.account
        return Registration(uri=str(known.uri) if known else "", caa_names=tuple(map(str, names)))

    def find_directory(self) -> None:
        self._client = Client(ClientV2.get_directory(self._account.directory, self._net), self._net)

    def open(self) -> bool:
        """Finds the account that belongs to the key, or makes it; its terms are agreed to by that. Whether it was there
        before."""
        self.find_directory()
        binding = None
        if self._account.eab_key_id:
            binding = messages.ExternalAccountBinding.from_data(
                self._key.public_key(), self._account.eab_key_id, self._account.eab_key, self._client.directory
            )
        wanted = messages.NewRegistration.from_data(
            email=self._account.email or None, terms_of_service_agreed=True, external_account_binding=binding
        )
        try:
            self._client.new_account(wanted)
        except ConflictError as known:
            # RFC 8555 §7.3.1: a key that has an account is told where it is.
            self._net.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
            return True
        return False

    def tell_contact(self) -> None:
        """In place of all that the authority knew of whom to write to."""
        # RFC 8555 §7.3.2: an empty list takes the former address away.
        told = messages.Registration.from_data(email=self._account.email or None, contact=())
        known = messages.RegistrationResource(uri=self.registration.uri, body=messages.Registration())
        self._client.update_registration(known, told)

    def order(self, order: Order) -> tuple[Asked, ...]:
        """What is to be proved; names that were proved lately are not among it."""
        request = signing_request(order.names, order.key)
        replaced = certificate_id(order.replaces) if self._client.knows_renewals else ""
        try:
            self._order = self._client.order(request, replaces=replaced)
        except (messages.Error, ConflictError) as problem:
            # RFC 9773 §5: its successor was ordered before (a conflict, to the library), or the authority does not know
            # it: then without that word.
            if not replaced or (isinstance(problem, messages.Error) and problem_of(problem).code == RATE_LIMITED):
                raise
            self._order = self._client.order(request, replaces="")
        return tuple(
            self._asked(authorization, order.method)
            for authorization in self._order.authorizations
            if authorization.body.status != messages.STATUS_VALID
        )

    def answer(self, asked: Sequence[Asked]) -> None:
        for each in asked:
            # The answer is an empty object for every kind (RFC 8555 §8.3, §8.4, RFC 8737 §3).
            response = challenges.HTTP01Response(key_authorization=each.proof.value)
            self._client.answer_challenge(each.challenge, response)

    def look(self, asked: Asked) -> Standing:
        authorization, response = self._client.poll(asked.authorization)
        status = authorization.body.status
        if status == messages.STATUS_PENDING:
            return Standing(is_pending=True, wait_s=self._wait_s(response))
        if status == messages.STATUS_VALID:
            return Standing(is_pending=False)
        problems = [problem_of(each.error) for each in authorization.body.challenges if each.error is not None]
        nothing_said = Problem(code="", detail=f"the authorization is {status.name}")
        return Standing(is_pending=False, problem=problems[0] if problems else nothing_said)

    def finalize(self) -> None:
        try:
            self._client.begin_finalization(self._order)
        except messages.Error as problem:
            # RFC 8555 §7.4: it has yet to notice that all is proved, and says in the order when it has.
            if problem.code != "orderNotReady":
                raise

    def look_at_order(self) -> Standing:
        """Once it is finalized."""
        body, response = self._client.order_at(self._order.uri)
        if body.status == messages.STATUS_INVALID:
            if body.error is not None:
                raise body.error
            raise NotIssued("the authority has given up the order, and does not say why")
        if body.status == messages.STATUS_READY:
            self.finalize()
        if body.status == messages.STATUS_VALID and body.certificate is not None:
            return Standing(is_pending=False, chain=self._client.text_at(body.certificate))
        return Standing(is_pending=True, wait_s=self._wait_s(response))

    def renewal(self, chain: str) -> RenewalInfo | None:
        """None where the authority says nothing: the certificate is renewed by its age then."""
        name = certificate_id(chain)
        if not name or not self._client.knows_renewals:
            return None
        return renewal_info(self._client.renewal_of(name).json())

    def close(self) -> None:
        self._net.session.close()

    def _wait_s(self, response: requests.Response) -> float:
        now = self._clock()
        until = retry_after(response.headers.get("Retry-After", ""), now) or now + LOOK_EVERY_MS
        return (until - now) / SECOND_MS

    def _asked(self, authorization: messages.AuthorizationResource, method: ProofMethod) -> Asked:
        host = str(authorization.body.identifier.value)
        offered = {str(each.to_json()["type"]): each for each in authorization.body.challenges}
        challenge = offered.get(method.value)
        if challenge is None:
            raise NoSuchChallenge(f"{host} cannot be proved by {method.value} there; offered: {', '.join(offered)}")
        # RFC 8555 §8.1: the token and the account key's thumbprint.
        token = str(challenge.to_json()["token"])
        authorized = f"{token}.{b64encode(self._key.thumbprint()).decode('ascii')}"
        value = _txt_value(authorized) if method is ProofMethod.DNS_01 else authorized
        return Asked(
            authorization=authorization,
            challenge=challenge,
            proof=Proof(method=method, host=host, token=token, value=value),
        )


def problem_of(error: messages.Error) -> Problem:
    # RFC 8555 §6.7.1: a compound problem says of each name what is wrong with it; the first is as good as any.
    inner = error.subproblems[0] if error.subproblems else error
    host = str(inner.identifier.value) if inner.identifier is not None else ""
    code = str(inner.typ).rpartition(":")[2]
    return Problem(code=code, detail=str(inner.detail or inner.title or ""), host=host)


def signing_request(names: Sequence[str], key: str) -> bytes:
    """PEM. RFC 8555 §7.4: the names are in subjectAltName, and the subject is left empty."""
    private = load_pem_private_key(key.encode("utf-8"), password=None)
    if not isinstance(private, EllipticCurvePrivateKey | RSAPrivateKey):
        raise TypeError("a certificate's key is ECDSA or RSA")
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(private, SHA256())
    )
    return request.public_bytes(Encoding.PEM)


def _txt_value(key_authorization: str) -> str:
    # RFC 8555 §8.4: base64url of its SHA-256.
    return b64encode(hashlib.sha256(key_authorization.encode("ascii")).digest()).decode("ascii")
