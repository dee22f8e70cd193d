"""The vendor as the sandbox runs it: real sockets, info, coverage, a restart."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path
from typing import Any

import httpx

import sandbox.netsuite
from sandbox.core.server import Sandbox
from sandbox.netsuite import coverage


def test_the_coverage_table_is_up_to_date() -> None:
    path = Path(sandbox.netsuite.__path__[0]) / "COVERAGE.md"
    assert path.read_text() == coverage.markdown(), "run `python -m sandbox coverage`"


def assert_private_key(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")


async def test_credentials_and_records_survive_a_restart(tmp_path: Path) -> None:
    seen: list[Any] = []
    for _ in range(2):
        async with Sandbox(["netsuite"], tmp_path) as info:
            netsuite: Any = info["netsuite"]
            seen.append((netsuite["auth"]["tba"], netsuite["auth"]["oauth2_m2m"]["certificate_id"]))
            for kind in ("oauth2_m2m", "oauth2_m2m_ec"):
                assert_private_key(Path(netsuite["auth"][kind]["private_key_file"]))
            assert netsuite["auth"]["oauth2_m2m"]["token_url"].startswith(netsuite["base_url"])
            async with httpx.AsyncClient(trust_env=False) as client:
                url = netsuite["control_url"]
                count = (await client.get(f"{url}/state")).json()["types"].get("customer")
                assert count == 200
                fulfil = {"fulfil": {"externalId": "none"}}
                assert (await client.post(f"{url}/seed", json=fulfil)).status_code == 422
            async with httpx.AsyncClient(
                trust_env=False, verify=ssl.create_default_context(cafile=netsuite["ca_file"])
            ) as client:
                assert (await client.get(f"{netsuite['tls_url']}/services/rest/record/v1/customer")).status_code == 401
    assert seen[0] == seen[1]
