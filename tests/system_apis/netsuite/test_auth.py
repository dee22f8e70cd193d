"""How we log in to NetSuite."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from oauthlib.oauth1.rfc5849.utils import parse_authorization_header

from strata.connections import Connection
from strata.errors import AuthRefused, Invalid
from system_apis.exchange import Exchange
from system_apis.netsuite import wire
from system_apis.netsuite.auth import Certificate, Signed
from system_apis.netsuite.backend import CertificateBased, NetSuiteConnection, TokenBased
from system_apis.netsuite.client import NetSuiteClient
from tests.sandboxes import Sandbox

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "oauth1-vectors.json").read_text())
CURRENCIES = "SELECT id, symbol FROM currency ORDER BY id"
OpenErp = Callable[[Connection], NetSuiteClient]


def parameters(header: str) -> dict[str, str]:
    return {name: unquote(value) for name, value in parse_authorization_header(header)}


class TestSigned:
    @pytest.mark.parametrize("vector", VECTORS["rest"], ids=lambda v: v["method"] + v["url"][-30:])
    async def test_it_signs_as_the_published_vectors_do(
        self, vector: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        options = TokenBased(
            consumer_key=VECTORS["consumer_key"],
            consumer_secret=VECTORS["consumer_secret"],
            token_id=VECTORS["token_id"],
            token_secret=VECTORS["token_secret"],
        )
        monkeypatch.setattr("oauthlib.oauth1.rfc5849.generate_nonce", lambda: VECTORS["nonce"])
        monkeypatch.setattr("oauthlib.oauth1.rfc5849.generate_timestamp", lambda: VECTORS["timestamp"])
        header = await Signed(VECTORS["realm"], options).header(vector["method"], vector["url"])
        found = parameters(header)
        assert found["oauth_signature"] == vector["signature"]
        assert found["oauth_signature_method"] == "HMAC-SHA256"
        assert found["realm"] == VECTORS["realm"]

    async def test_every_request_has_a_nonce_of_its_own(self) -> None:
        options = TokenBased(consumer_key="a", consumer_secret="b", token_id="c", token_secret="d")
        signed = Signed("1234567_SB1", options)
        nonces = {parameters(await signed.header("GET", "https://x.example/"))["oauth_nonce"] for _ in range(50)}
        assert len(nonces) == 50

    async def test_the_signature_covers_the_url_as_it_is_sent(self) -> None:
        options = TokenBased(consumer_key="a", consumer_secret="b", token_id="c", token_secret="d")
        url = "http://127.0.0.1:8093/services/rest/record/v1/customer/eid:O%27Hara%20%C3%BC?replace=item"
        found = parameters(await Signed("T", options).header("PUT", url))
        given = found.pop("oauth_signature")
        found.pop("realm")
        pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in [*found.items(), ("replace", "item")])
        parts = ("PUT", url.partition("?")[0], "&".join(f"{k}={v}" for k, v in pairs))
        base = "&".join(quote(part, safe="~") for part in parts)  # RFC 5849 section 3.4.1
        expected = hmac.new(b"b&d", base.encode(), hashlib.sha256).digest()
        assert given == base64.b64encode(expected).decode()


class TestCertificate:
    def options(self, sandbox: Sandbox) -> CertificateBased:
        auth = sandbox.erp("oauth2_m2m").decode(NetSuiteConnection).auth
        assert isinstance(auth, CertificateBased)
        return auth

    def certificate(self, sandbox: Sandbox, options: CertificateBased) -> Certificate:
        return Certificate(
            Exchange("netsuite", "erp", None),  # pyright: ignore[reportArgumentType]  # nothing is sent
            sandbox.erp().decode(NetSuiteConnection),
            options,
        )

    def test_the_assertion_says_what_netsuite_asks_for(self, sandbox: Sandbox) -> None:
        options = self.options(sandbox)
        assertion = self.certificate(sandbox, options).assertion(1_000_000.0)
        key = RSAKey.import_key(Path(options.private_key_file).read_text())
        token = jwt.decode(assertion, key, algorithms=["PS256"])
        assert token.header == {"alg": "PS256", "typ": "JWT", "kid": options.certificate_id}
        assert token.claims["iss"] == options.client_id
        assert token.claims["aud"] == options.token_url
        assert token.claims["scope"] == ["restlets", "rest_webservices"]
        assert 0 < token.claims["exp"] - token.claims["iat"] < 3600

    @pytest.mark.parametrize("content", [None, "", "-----BEGIN PRIVATE KEY-----\nxx\n-----END PRIVATE KEY-----\n"])
    def test_a_key_that_cannot_be_used_is_refused_by_name(
        self, sandbox: Sandbox, tmp_path: Path, content: str | None
    ) -> None:
        file = tmp_path / "key.pem"
        if content is not None:
            file.write_text(content)
        options = CertificateBased(client_id="a", certificate_id="b", private_key_file=str(file))
        with pytest.raises(AuthRefused, match=r"key\.pem"):
            self.certificate(sandbox, options).assertion(0.0)

    async def test_many_calls_at_once_fetch_one_token(self, sandbox: Sandbox, open_erp: OpenErp) -> None:
        client = open_erp(sandbox.erp("oauth2_m2m"))
        await asyncio.gather(*(client.query(CURRENCIES, wire.CurrencyRow) for _ in range(12)))
        assert sandbox.netsuite.requests()["summary"]["by_operation"]["token"] == 1

    async def test_a_token_that_is_refused_is_renewed_once(self, sandbox: Sandbox, open_erp: OpenErp) -> None:
        client = open_erp(sandbox.erp("oauth2_m2m"))
        await client.query(CURRENCIES, wire.CurrencyRow)
        sandbox.netsuite.fault("status", "suiteql", status=401, times=1)
        assert await client.query(CURRENCIES, wire.CurrencyRow)
        assert sandbox.netsuite.requests()["summary"]["by_operation"]["token"] == 2

    async def test_an_unknown_certificate_is_refused(self, sandbox: Sandbox, open_erp: OpenErp) -> None:
        good = sandbox.erp("oauth2_m2m").options["auth"]
        options = {**sandbox.erp().options, "auth": {**good, "certificate_id": "nobody"}}
        client = open_erp(Connection("erp", "netsuite", options))
        with pytest.raises(AuthRefused):
            await client.query(CURRENCIES, wire.CurrencyRow)


class TestConnection:
    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param({"concurency": 4}, id="misspelt"),
            pytest.param({"concurrency": 0}, id="no place"),
            pytest.param({"auth": {"kind": "password"}}, id="another login"),
            pytest.param({"auth": {"kind": "tba", "consumer_key": "a"}}, id="half a login"),
        ],
    )
    def test_a_wrong_option_is_told(self, sandbox: Sandbox, wrong: dict[str, object]) -> None:
        with pytest.raises(Invalid, match="erp"):
            Connection("erp", "netsuite", {**sandbox.erp().options, **wrong}).decode(NetSuiteConnection)

    def test_the_host_is_the_account_in_lower_case_with_dashes(self) -> None:
        auth = TokenBased(consumer_key="a", consumer_secret="b", token_id="c", token_secret="d")
        connection = NetSuiteConnection(account="1234567_SB1", auth=auth)
        assert connection.url == "https://1234567-sb1.suitetalk.api.netsuite.com"
