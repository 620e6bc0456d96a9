"""The acme library's client, with what it lacks: orders that name what they replace, and one look at an order.

Its own way of waiting for an order goes by the machine's local time, which jumps twice a year. RFC 8555 §7.4, RFC 9773.
"""

import requests
from acme import messages
from acme.client import ClientV2
from cryptography import x509
from josepy.json_util import field


class NewOrder(messages.NewOrder):
    replaces: str | None = field("replaces", omitempty=True)  # RFC 9773 §5


class Client(ClientV2):
    @property
    def knows_renewals(self) -> bool:
        return "renewalInfo" in self.directory.to_partial_json()

    def order(self, request: bytes, *, replaces: str) -> messages.OrderResource:
        """request: for the certificate, PEM, its names in subjectAltName. replaces: a certificate's id, "" for none."""
        names = x509.load_pem_x509_csr(request).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        identifiers = [
            messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name)
            for name in names.get_values_for_type(x509.DNSName)
        ]
        wanted = NewOrder(identifiers=identifiers, replaces=replaces or None)
        response = self._post(self.directory["newOrder"], wanted)
        body = messages.Order.from_json(response.json())
        # One answer to a request for each name: RFC 8555 §7.5.
        authorizations = [self._authzr_from_response(self._post_as_get(url), uri=url) for url in body.authorizations]
        return messages.OrderResource(
            body=body, uri=response.headers["Location"], authorizations=authorizations, csr_pem=request
        )

    def order_at(self, uri: str) -> tuple[messages.Order, requests.Response]:
        response = self._post_as_get(uri)
        return messages.Order.from_json(response.json()), response

    def text_at(self, uri: str) -> str:
        return str(self._post_as_get(uri).text)

    def renewal_of(self, certificate: str) -> requests.Response:
        # RFC 9773 §4.1: below the directory's URL, by a plain GET.
        return self.net.get(f"{str(self.directory['renewalInfo']).rstrip('/')}/{certificate}")
