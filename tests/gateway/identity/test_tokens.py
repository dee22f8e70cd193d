"""Security catalogue B: tokens that must not pass."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from gateway.identity.tokens import InvalidTokenError, TokenVerifier

ISSUER = "https://gateway.test"
KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True, auto_kid=True)
OTHER = ECKey.generate_key("P-256", {"kid": KEY.kid}, private=True)
NOW = 1_800_000_000


class Keys:
    """A key set that knows one key."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def find(self, kid: str) -> ECKey | None:
        self.asked.append(kid)
        return KEY if kid == KEY.kid else None


def verifier(clock: list[float] | None = None, size: int = 4) -> TokenVerifier:
    at = clock or [float(NOW)]
    return TokenVerifier(
        Keys(),  # type: ignore[arg-type]
        ISSUER,
        ISSUER,
        max_lifetime_s=900,
        skew_s=30,
        cache_size=size,
        cache_s=60,
        now=lambda: at[0],
    )


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    good = {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "c",
        "client_id": "c",
        "iat": NOW - 10,
        "exp": NOW + 600,
        "jti": "j",
        "scope": "orders:read",
        "strata_plan": "standard",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def signed(payload: Any = None, header: dict[str, Any] | None = None, key: Any = KEY) -> bytes:
    """A token over exactly these bytes, whatever they are."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload or claims()).encode()
    head = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid, **(header or {})}
    head = {name: value for name, value in head.items() if value is not ...}
    return with_header(json.dumps(head).encode(), raw, key)


def with_header(header: bytes, payload: bytes, key: Any = KEY) -> bytes:
    signing_input = f"{b64(header)}.{b64(payload)}".encode()
    algorithm = jws.JWSRegistry.algorithms["ES256"]
    return signing_input + b"." + b64(algorithm.sign(signing_input, key)).encode()


async def refuse(token: bytes) -> None:
    with pytest.raises(InvalidTokenError):
        await verifier().identity(token)


class TestGoodTokens:
    async def test_it_names_the_caller(self) -> None:
        payload = claims(scope="a b", strata_partner="acme", strata_shops=["eu"])
        identity = await verifier().identity(signed(payload))
        assert identity.client_id == identity.subject == "c"
        assert identity.scopes == {"a", "b"}
        assert (identity.plan, identity.partner, identity.shops) == ("standard", "acme", ("eu",))

    async def test_the_long_type_and_a_list_of_one_audience(self) -> None:
        await verifier().identity(signed(claims(aud=[ISSUER]), {"typ": "application/at+jwt"}))


class TestSpelling:
    async def test_a_signature_has_one_spelling(self) -> None:
        """86 characters carry four bits that mean nothing: 15 other endings decode to the same 64 bytes."""
        token = signed()
        alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        place = alphabet.index(token[-1:])
        assert place % 16 == 0
        for offset in range(1, 16):
            await refuse(token[:-1] + alphabet[place + offset : place + offset + 1])


class TestHeaders:
    @pytest.mark.parametrize(
        "header",
        [
            {"alg": "none"},
            {"alg": "None"},
            {"alg": "nOnE"},
            {"alg": ""},
            {"alg": ...},
            {"alg": 5},
            {"alg": ["ES256"]},
            {"alg": None},
            {"alg": "HS256"},
            {"alg": "RS256"},
            {"alg": "ES512"},
            {"typ": "JWT"},
            {"typ": "dpop+jwt"},
            {"typ": "logout+jwt"},
            {"typ": ...},
            {"typ": ["at+jwt"]},
            {"kid": "../../dev/null"},
            {"kid": "' OR 1=1--"},
            {"kid": "https://evil.example/key"},
            {"kid": "x" * 3_000},
            {"kid": "\x00"},
            {"kid": ["a"]},
            {"kid": ...},
            {"jwk": {"kty": "EC"}},
            {"jku": "https://evil.example"},
            {"x5u": "https://evil.example"},
            {"x5c": ["a"]},
            {"crit": ["exp"]},
            {"crit": []},
            {"b64": False},
            {"zip": "DEF"},
        ],
        ids=repr,
    )
    async def test_refused(self, header: dict[str, Any]) -> None:
        await refuse(signed(header=header))

    async def test_a_duplicate_member(self) -> None:
        header = f'{{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"{KEY.kid}"}}'
        await refuse(with_header(header.encode(), json.dumps(claims()).encode()))

    async def test_deep_json(self) -> None:
        await refuse(with_header(b'{"alg":' + b"[" * 2_000 + b"]" * 2_000 + b"}", json.dumps(claims()).encode()))

    async def test_a_symmetric_signature_with_the_public_key(self) -> None:
        for material in (KEY.as_pem(private=False), json.dumps(KEY.as_dict(private=False)).encode()):
            head = b64(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": KEY.kid}).encode())
            signing_input = f"{head}.{b64(json.dumps(claims()).encode())}".encode()
            mac = hmac.digest(material, signing_input, "sha256")
            await refuse(signing_input + b"." + b64(mac).encode())

    async def test_another_kind_of_key(self) -> None:
        rsa = RSAKey.generate_key(2048, {"kid": KEY.kid}, private=True)
        head = b64(json.dumps({"alg": "RS256", "typ": "at+jwt", "kid": KEY.kid}).encode())
        signing_input = f"{head}.{b64(json.dumps(claims()).encode())}".encode()
        signature = jws.JWSRegistry.algorithms["RS256"].sign(signing_input, rsa)
        await refuse(signing_input + b"." + b64(signature).encode())


class TestClaims:
    @pytest.mark.parametrize(
        "changes",
        [
            {"exp": NOW},
            {"exp": NOW - 1},
            {"exp": ...},
            {"exp": str(NOW + 600)},
            {"exp": NOW + 600.5},
            {"exp": -1},
            {"exp": 1e308},
            {"exp": float("inf")},
            {"exp": float("nan")},
            {"exp": True},
            {"exp": 253402300799},
            {"exp": NOW + 901 + 10},
            {"nbf": NOW + 31},
            {"nbf": "0"},
            {"iat": NOW + 31},
            {"iat": ...},
            {"iat": NOW + 600},
            {"iss": "https://gateway.tes"},
            {"iss": ISSUER + "/"},
            {"iss": ISSUER.upper()},
            {"iss": [ISSUER]},
            {"iss": ...},
            {"aud": ...},
            {"aud": "https://other"},
            {"aud": ISSUER + ".evil.example"},
            {"aud": [ISSUER, "https://other"]},
            {"aud": []},
            {"aud": {"a": ISSUER}},
            {"sub": ...},
            {"client_id": ...},
            {"jti": ...},
            {"scope": ["orders:read"]},
            {"strata_shops": "eu"},
        ],
        ids=repr,
    )
    async def test_refused(self, changes: dict[str, Any]) -> None:
        await refuse(signed(claims(**changes)))

    @pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"{", b"\xff", b'{"iss":"a","iss":"b"}', b"[" * 5_000])
    async def test_a_payload_that_is_no_object(self, payload: bytes) -> None:
        await refuse(signed(payload or b" "))


class TestForm:
    async def test_another_key(self) -> None:
        await refuse(signed(key=OTHER))

    @given(st.integers(0, 10_000))
    @settings(max_examples=60, deadline=None)
    async def test_one_changed_character(self, place: int) -> None:
        token = signed()
        place %= len(token)
        changed = b"A" if token[place : place + 1] != b"A" else b"B"
        with pytest.raises(InvalidTokenError):
            await verifier().identity(token[:place] + changed + token[place + 1 :])

    @pytest.mark.parametrize(
        "change",
        [
            lambda t: t + b"=",
            lambda t: t + b"\n",
            lambda t: b" " + t,
            lambda t: t + b".",
            lambda t: t.rsplit(b".", 1)[0] + b".",
            lambda t: t.rsplit(b".", 1)[0],
            lambda t: t.replace(b".", b".."),
            lambda t: t.rsplit(b".", 1)[0] + b"." + b64(bytes(64)).encode(),
            lambda t: b'{"payload":"' + t + b'"}',
            lambda t: t + b"a" * 9_000,
            lambda t: b"",
            lambda t: b"\xff\xfe",
        ],
    )
    async def test_another_form(self, change: Any) -> None:
        await refuse(change(signed()))

    @given(st.binary(max_size=300))
    @settings(max_examples=100, deadline=None)
    async def test_any_bytes_are_refused_and_nothing_breaks(self, token: bytes) -> None:
        await refuse(token)


class TestTheCache:
    async def test_a_second_look_needs_no_signature(self) -> None:
        checker, token = verifier(), signed()
        assert await checker.identity(token) == await checker.identity(token)
        assert (checker.misses, checker.hits) == (1, 1)

    async def test_it_never_outlives_the_token(self) -> None:
        clock = [float(NOW)]
        checker = verifier(clock)
        token = signed(claims(exp=NOW + 5))
        await checker.identity(token)
        clock[0] = NOW + 5
        with pytest.raises(InvalidTokenError):
            await checker.identity(token)

    async def test_it_looks_again_after_a_minute(self) -> None:
        clock = [float(NOW)]
        checker, token = verifier(clock), signed()
        await checker.identity(token)
        clock[0] = NOW + 61
        await checker.identity(token)
        assert checker.misses == 2

    async def test_it_is_bounded_and_forgets_the_least_used(self) -> None:
        checker = verifier(size=2)
        first, second, third = (signed(claims(jti=name)) for name in "abc")
        for token in (first, second, first, third, first):
            await checker.identity(token)
        assert checker.misses == 3
        await checker.identity(second)
        assert checker.misses == 4

    async def test_refused_tokens_are_not_remembered(self) -> None:
        checker = verifier()
        for _ in range(3):
            with pytest.raises(InvalidTokenError):
                await checker.identity(signed(key=OTHER))
        assert len(checker._cache) == 0

    async def test_a_hit_is_much_cheaper_than_a_verification(self) -> None:
        checker, token = verifier(), signed()
        begun = time.perf_counter()
        await checker.identity(token)
        missed = time.perf_counter() - begun
        begun = time.perf_counter()
        for _ in range(100):
            await checker.identity(token)
        assert (time.perf_counter() - begun) / 100 < missed
