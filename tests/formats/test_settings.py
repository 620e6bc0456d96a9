"""The settings of a domain in each of their forms, read back as the programs read them."""

import plistlib
import subprocess
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

import orjson
import pytest
import trustme

from mailstack.formats.autoconfig import write_autoconfig
from mailstack.formats.autodiscover import (
    MOST_REQUEST_OCTETS,
    OUTLOOK,
    REQUEST,
    RESPONSE,
    read_autodiscover,
    write_autodiscover,
    write_autodiscover_error,
)
from mailstack.formats.mobileconfig import write_mobileconfig
from mailstack.formats.pacc import write_pacc, write_pacc_record
from mailstack.formats.signed_profile import load_signer
from mailstack.model.address import parse_address
from mailstack.model.client_settings import ClientSettings, reachable_ports
from mailstack.model.errors import Invalid, Unsupported

HOST = "mail.example.com"
PORTS = {"submissions": 465, "submission": 587, "imaps": 993, "imap": 143, "managesieve": 4190, "https": 443}
SETTINGS = ClientSettings(domain="example.com", login_domain="example.com", hostname=HOST, ports=PORTS)
ALICE = parse_address("alice+<x>&@example.com")
NAMES = {"r": RESPONSE, "o": OUTLOOK}


def servers(settings: ClientSettings, tag: str) -> list[dict[str, str]]:
    root = ElementTree.fromstring(write_autoconfig(settings))
    found = root.findall(f"emailProvider/{tag}")
    return [{"type": each.attrib["type"], **{child.tag: child.text or "" for child in each}} for each in found]


def test_autoconfig_has_what_thunderbird_reads() -> None:
    root = ElementTree.fromstring(write_autoconfig(SETTINGS))
    assert (root.tag, root.attrib) == ("clientConfig", {"version": "1.1"})
    provider = root.find("emailProvider")
    assert provider is not None
    assert provider.attrib == {"id": "example.com"}
    assert provider.findtext("domain") == "example.com"
    login = {"authentication": "password-cleartext", "username": "%EMAILADDRESS%"}
    assert servers(SETTINGS, "incomingServer") == [
        {"type": "imap", "hostname": HOST, "port": "993", "socketType": "SSL", **login},
        {"type": "imap", "hostname": HOST, "port": "143", "socketType": "STARTTLS", **login},
        {"type": "jmap", "url": f"https://{HOST}/.well-known/jmap", **login, "authentication": "Basic"},
    ]
    assert servers(SETTINGS, "outgoingServer") == [
        {"type": "smtp", "hostname": HOST, "port": "465", "socketType": "SSL", **login},
        {"type": "smtp", "hostname": HOST, "port": "587", "socketType": "STARTTLS", **login},
    ]
    (over_http,) = root.iterfind(".//authentication[@system]")
    assert (over_http.attrib, over_http.text) == ({"system": "http"}, "Basic")
    page = root.find("webMail/loginPage")
    assert page is not None
    assert page.attrib == {"url": f"https://{HOST}/mail"}


def test_what_is_not_there_is_not_named() -> None:
    few = replace(SETTINGS, ports={"imaps": 9993, "submission": 587})
    assert [each["port"] for each in servers(few, "incomingServer")] == ["9993"]
    assert [each["port"] for each in servers(few, "outgoingServer")] == ["587"]
    assert ElementTree.fromstring(write_autoconfig(few)).find("webMail") is None
    # Ports are never said in this one.
    assert orjson.loads(write_pacc(few))["protocols"] == {}
    assert write_mobileconfig(replace(few, ports={"imap": 143}), ALICE) is None


def test_who_has_an_address_of_an_alias_logs_in_with_that_of_the_other_domain() -> None:
    alias = replace(SETTINGS, domain="example.org", login_domain="example.com")
    assert {each["username"] for each in servers(alias, "incomingServer")} == {"%EMAILLOCALPART%@example.com"}
    profile = write_mobileconfig(alias, parse_address("bob@example.org"))
    assert profile is not None
    account = plistlib.loads(profile)["PayloadContent"][0]
    assert (account["EmailAddress"], account["IncomingMailServerUsername"]) == ("bob@example.org", "bob@example.com")


def request(address: str, schema: str = OUTLOOK, begin: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{begin}<Autodiscover xmlns="{REQUEST}"><Request>'
        f"<EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema>"
        f"</Request></Autodiscover>"
    ).encode()


def test_outlook_is_told_a_server_of_each_kind() -> None:
    asked = read_autodiscover(request("alice+&lt;x&gt;&amp;@Example.com"))
    assert asked == ALICE
    root = ElementTree.fromstring(write_autodiscover(SETTINGS, asked))
    account = root.find("o:Response/o:Account", NAMES)
    assert account is not None
    assert account.findtext("o:AccountType", namespaces=NAMES) == "email"
    assert account.findtext("o:Action", namespaces=NAMES) == "settings"
    found = [
        tuple(each.findtext(f"o:{name}", namespaces=NAMES) for name in ("Type", "Server", "Port", "Encryption"))
        for each in account.findall("o:Protocol", NAMES)
    ]
    assert found == [("IMAP", HOST, "993", "SSL"), ("SMTP", HOST, "465", "SSL")]
    assert {each.text for each in account.iterfind("o:Protocol/o:LoginName", NAMES)} == {str(ALICE)}


def test_a_fault_is_an_answer_of_autodiscover() -> None:
    root = ElementTree.fromstring(write_autodiscover_error(600, "Invalid <Request>"))
    assert root.findtext("r:Response/r:Error/r:ErrorCode", namespaces=NAMES) == "600"
    assert root.findtext("r:Response/r:Error/r:Message", namespaces=NAMES) == "Invalid <Request>"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"<a",
        b"<a></b>",
        b"<a>" * 2_000,
        request("&b;@example.com", begin=BOMB),
        request("&a;@example.com", begin=FILE),
        request("a@example.com", begin='<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">'),
        request("&nbsp;@example.com"),
        request("nobody"),
        request(""),
        request("a b@example.com"),
        request("a@example.com" + " " * MOST_REQUEST_OCTETS),
        request("a@example.com").replace(b"utf-8", b"no-such-code"),
        request("a@example.com").replace(b"utf-8", b"utf-7"),
        f'<Autodiscover xmlns="{REQUEST}"/>'.encode(),
        b"<Autodiscover><Request><EMailAddress>a@example.com</EMailAddress></Request></Autodiscover>",
    ],
    ids=range(17),
)
def test_what_is_no_question_of_autodiscover_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_autodiscover(body)


def test_other_services_are_not_there() -> None:
    with pytest.raises(Unsupported):
        read_autodiscover(request("a@example.com", "http://schemas.microsoft.com/exchange/autodiscover/mobilesync"))


def test_a_profile_has_one_account_and_no_password() -> None:
    content = write_mobileconfig(SETTINGS, ALICE)
    assert content is not None
    profile = plistlib.loads(content)
    assert (profile["PayloadType"], profile["PayloadVersion"]) == ("Configuration", 1)
    (account,) = profile["PayloadContent"]
    assert account["PayloadType"] == "com.apple.mail.managed"
    assert (account["EmailAccountType"], account["EmailAddress"]) == ("EmailTypeIMAP", str(ALICE))
    for way, port in (("Incoming", 993), ("Outgoing", 465)):
        assert account[f"{way}MailServerHostName"] == HOST
        assert account[f"{way}MailServerPortNumber"] == port
        assert account[f"{way}MailServerUseSSL"] is True
        assert account[f"{way}MailServerUsername"] == str(ALICE)
    assert not [key for key in account if key.endswith("Password") and key != "OutgoingPasswordSameAsIncomingPassword"]
    assert content == write_mobileconfig(SETTINGS, ALICE)
    other = write_mobileconfig(SETTINGS, parse_address("bob@example.com"))
    assert other is not None
    assert plistlib.loads(other)["PayloadUUID"] != profile["PayloadUUID"]


def test_a_profile_with_a_password_asks_for_nothing() -> None:
    bare, content = write_mobileconfig(SETTINGS, ALICE), write_mobileconfig(SETTINGS, ALICE, "secret")
    assert bare is not None
    assert content is not None
    profile, without = plistlib.loads(content), plistlib.loads(bare)
    (account,) = profile["PayloadContent"]
    assert account == {**without["PayloadContent"][0], "IncomingPassword": "secret"}
    assert account["OutgoingPasswordSameAsIncomingPassword"] is True
    assert "asked for" not in profile["PayloadDescription"]
    # Installed, it takes the place of the one without.
    assert profile["PayloadIdentifier"] == without["PayloadIdentifier"]


@pytest.mark.parametrize("key_type", [trustme.KeyType.RSA, trustme.KeyType.ECDSA], ids=["rsa", "ecdsa"])
def test_a_signed_profile_is_one_that_others_verify(key_type: trustme.KeyType, tmp_path: Path) -> None:
    authority = trustme.CA(key_type=key_type).create_child_ca()
    issued = authority.issue_cert(HOST, key_type=key_type)
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems).decode()
    sign = load_signer(chain, issued.private_key_pem.bytes().decode())
    assert sign is not None
    content = write_mobileconfig(SETTINGS, ALICE)
    assert content is not None
    signed, root = tmp_path / "signed", tmp_path / "root.pem"
    signed.write_bytes(sign(content))
    root.write_text(chain)
    verify = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(signed), "-CAfile", str(root)]
    done = subprocess.run([*verify, "-partial_chain", "-purpose", "any"], capture_output=True, check=True, timeout=30)
    assert done.stdout == content


def test_pacc_is_the_same_each_time_and_its_digest_is_in_dns() -> None:
    document = write_pacc(SETTINGS)
    assert orjson.loads(document) == {
        "protocols": {
            "imap": {"host": HOST},
            "submit": {"host": HOST},
            "jmap": {"url": f"https://{HOST}/.well-known/jmap"},
        },
        "authentication": {"password": True},
        "info": {"provider": {"name": "example.com"}},
    }
    assert document == write_pacc(replace(SETTINGS, ports=dict(reversed(PORTS.items()))))
    assert write_pacc_record(document) == f"v=UAAC1; a=sha256; d={b64encode(sha256(document).digest()).decode()}"


@pytest.mark.parametrize(
    ("listeners", "ports"),
    [
        ({"smtp": [":25"], "imaps": ["127.0.0.1:993", "192.0.2.1:1993"]}, {"imaps": 1993}),
        ({"smtp": [":25"], "imaps": ["[::1]:993"], "https": []}, {}),
        ({"smtp": ["127.0.0.1:25"], "imaps": ["127.0.0.1:993"]}, {"imaps": 993}),
        ({"smtp": [":25"], "lmtp": ["/run/lmtp mode=0660"], "http": [":80"]}, {}),
    ],
    ids=["first", "none", "tried-out", "others"],
)
def test_programs_are_sent_where_they_can_go(listeners: dict[str, list[str]], ports: dict[str, int]) -> None:
    assert reachable_ports(listeners) == ports
