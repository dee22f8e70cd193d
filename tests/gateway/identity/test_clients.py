from __future__ import annotations

import stat
from pathlib import Path

import asyncpg
import pytest
from cryptography.fernet import Fernet

from gateway.core.route import ConfigurationError
from gateway.identity.clients import ClientExistsError
from gateway.identity.keys import SigningKeys
from gateway.identity.secrets import hashed, matches, new_secret, secret_key
from gateway.settings import GatewaySettings
from tests.gateway.conftest import House, a_house


class TestRegistration:
    async def test_a_drawn_secret_is_shown_once(self, own_house: House) -> None:
        client_id, secret = await own_house.gateway.clients.register("erp", ["orders:read"])
        known = await own_house.gateway.clients.load(client_id)
        assert known is not None
        assert matches(secret, known.secret_hash)
        with pytest.raises(ClientExistsError):
            await own_house.gateway.clients.register("erp", ["orders:read"])

    async def test_a_development_client_is_the_same_at_every_start(self, postgres_url: str) -> None:
        async with a_house(postgres_url) as first:
            one = (first.client_id, first.client_secret)
        async with a_house(postgres_url) as second:
            assert (second.client_id, second.client_secret) == one

    async def test_its_scopes_follow_the_code(self, own_house: House) -> None:
        client_id, _ = await own_house.gateway.clients.register("shop-web", ["orders:read"], development=True)
        known = await own_house.gateway.clients.load(client_id)
        assert known is not None
        assert known.scopes == {"orders:read"}

    @pytest.mark.parametrize(
        ("change", "good"),
        [
            ("scopes = ARRAY['orders:write', 'orders:read']", True),  # whatever the order they are kept in
            ("scopes = ARRAY['orders:read']", False),
            ("scopes = scopes || ARRAY['orders:admin']", False),
            ("plan = 'gold'", False),
            ("partner = 'acme'", False),
            ("shops = ARRAY['other']", False),
            ("active = false", False),
            ("secret_hash = sha256('x')", False),
        ],
    )
    async def test_a_client_that_changed_since_it_was_loaded_gets_no_token(
        self, own_house: House, postgres_url: str, change: str, good: bool
    ) -> None:
        clients = own_house.gateway.clients
        known = await clients.load(own_house.client_id)
        assert known is not None
        admin = await asyncpg.connect(postgres_url)
        await admin.execute(f"UPDATE gateway.oauth_clients SET {change}")  # noqa: S608  # from the table above
        await admin.close()
        assert await clients.commit_token(known) is good

    async def test_another_key_gives_another_secret(self, postgres_url: str, own_house: House) -> None:
        del postgres_url
        other = type(own_house.gateway.clients)(own_house.gateway._pool, Fernet.generate_key().decode())  # type: ignore[arg-type]
        assert (await other.register("shop-web", [], development=True))[1] != own_house.client_secret

    async def test_the_store_keeps_hashes_only(self, own_house: House, postgres_url: str) -> None:
        connection = await asyncpg.connect(postgres_url)
        rows = await connection.fetch("SELECT * FROM gateway.oauth_clients")
        keys = await connection.fetch("SELECT * FROM gateway.signing_keys")
        await connection.close()
        assert own_house.client_secret not in repr(rows)
        assert own_house.client_secret.encode() not in b"".join(bytes(row["secret_hash"]) for row in rows)
        assert all(b'"d"' not in bytes(row["private"]) and '"d"' not in row["public_jwk"] for row in keys)


class TestSecrets:
    def test_scanners_can_recognise_one(self) -> None:
        secret = new_secret()
        assert secret.startswith("strata_secret_")
        assert len(secret) == len("strata_secret_") + 64 + 1 + 8
        assert new_secret() != secret

    def test_comparing(self) -> None:
        assert matches("a", hashed("a"))
        assert not matches("a", hashed("b"))

    def test_the_development_key_is_made_once_and_is_private(self, tmp_path: Path) -> None:
        settings = GatewaySettings(data_dir=tmp_path / "data")
        key = secret_key(settings)
        assert secret_key(settings) == key
        file = tmp_path / "data" / "gateway.key"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [entry.name for entry in file.parent.iterdir()] == ["gateway.key"]

    def test_without_a_key_or_a_folder_it_does_not_start(self) -> None:
        with pytest.raises(ConfigurationError, match="STRATA_SECRET_KEY"):
            secret_key(GatewaySettings())

    def test_a_key_of_the_wrong_form_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="32 bytes"):
            secret_key(GatewaySettings(secret_key="short"))


class TestSigningKeys:
    async def test_the_wrong_key_is_named_as_the_cause(self, own_house: House) -> None:
        pool = own_house.gateway._pool
        assert pool is not None
        with pytest.raises(ConfigurationError, match="does not open the signing keys"):
            await SigningKeys(pool, Fernet.generate_key().decode()).start()

    async def test_a_thousand_unknown_kids_ask_the_database_once(self, own_house: House) -> None:
        pool = own_house.gateway._pool
        assert pool is not None
        keys = SigningKeys(pool, own_house.gateway.settings.secret_key)
        await keys.start()
        keys._next_refresh = 0.0
        loads: list[int] = []
        load = keys._load

        async def counted() -> None:
            loads.append(1)
            await load()

        keys._load = counted  # type: ignore[method-assign]
        for number in range(1_000):
            assert await keys.find(f"kid-{number}") is None
        assert len(loads) == 1

    async def test_a_key_that_another_gateway_made_is_found(self, own_house: House, postgres_url: str) -> None:
        pool = own_house.gateway._pool
        assert pool is not None
        keys = SigningKeys(pool, own_house.gateway.settings.secret_key)
        await keys.start()
        connection = await asyncpg.connect(postgres_url)
        await connection.execute(
            "INSERT INTO gateway.signing_keys SELECT 'newer', algorithm, public_jwk, private FROM gateway.signing_keys"
        )
        await connection.close()
        assert await keys.find("newer") is None
        keys._next_refresh = 0.0
        assert await keys.find("newer") is not None
