"""`tls.acme`: the authority that certificates come from, and how it is shown that the names are ours (RFC 8555)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mailstack.spec.sections.section import Section
from mailstack.spec.values import AcmeDirectory, AddressKey, FilePath, SecretReference

DIRECTORIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("not the id of an account")
    return text


class ExternalAccount(Section):
    key_id: Annotated[str, AfterValidator(_one_line)] = Field(description="The account's id, as the authority gave it.")
    key: SecretReference = Field(description="The account's HMAC key (base64url), by reference.")


class Acme(Section):
    """Used with `issuer: acme`. By using it you agree to the authority's terms of service."""

    email: AddressKey | None = Field(
        default=None,
        description="Where the authority may write. It is told so when the account is made, and of changes.",
    )
    directory: AcmeDirectory = Field(
        default="letsencrypt",
        description="The authority: letsencrypt, letsencrypt-staging (for trying out: nobody trusts its certificates)"
        " or the https URL of another one's ACME directory. Using it means agreeing to its terms of service.",
    )
    challenge: Literal["http-01", "tls-alpn-01", "dns-01"] = Field(
        default="http-01",
        description="How it is proved that the names are this server's: http-01 at port 80 (listeners.http),"
        " tls-alpn-01 at port 443 (listeners.https), dns-01 by a TXT record, written by the provider of the zone.",
    )
    key: Literal["ecdsa256", "rsa2048"] = Field(
        default="ecdsa256",
        description="The kind of key. Renewals keep the key; another kind is a new one, with new TLSA records first.",
    )
    ca: FilePath | None = Field(
        default=None,
        description="PEM file of the CA to trust for the directory's own URL, instead of the public ones: for an"
        " authority of your own. Relative to this file.",
    )
    eab: ExternalAccount | None = Field(
        default=None,
        description="External account binding: only for authorities that want an account they know already.",
    )

    @property
    def directory_url(self) -> str:
        return DIRECTORIES.get(self.directory, self.directory)
