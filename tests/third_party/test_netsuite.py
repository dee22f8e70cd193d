"""The NetSuite sandbox in the hands of the PyPI `netsuite` client, in a virtual environment of its own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.core.server import Sandbox

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = REPOSITORY / ".venv-foreign" / "bin" / "python"
SCRIPT = Path(__file__).with_name("netsuite_client.py")


@pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-foreign: see requirements/foreign.txt")
async def test_the_pypi_client_does_all_it_can(tmp_path: Path) -> None:
    async with Sandbox(["netsuite"], tmp_path) as info:
        netsuite: Any = info["netsuite"]
        async with httpx.AsyncClient(trust_env=False) as control:
            await control.post(f"{netsuite['control_url']}/limits", json={"latency_ms": 20})
        client = await asyncio.create_subprocess_exec(
            PYTHON, SCRIPT, tmp_path / "sandbox.json", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, errors = await client.communicate()
    assert client.returncode == 0, errors.decode()
    seen: dict[str, Any] = json.loads(out)
    bad_field, missing, bad_query = (seen.pop(name) for name in ("bad_field", "missing", "bad_query"))
    assert seen == {
        "page": [50, False, 200],
        "created": [204, "Zoë & Søn"],
        "found": True,
        "patched": None,
        "upserted": None,
        "order": [34.66, "B", 34.66],
        "status": "Pending Billing",
        "rows": 201,
        "delta": True,
        "restlet": ["GET", {"a": "é"}, "PUT"],
        "schema": ["accountNumber", "addressBook", "altEmail"],
        "openapi": True,
        "deleted": None,
        "bad_name": 400,
        "bad_token": 401,
        "bad_account": 401,
        "all_at_once": [200, 200, 200, 200, 200, 429, 429, 429],
    }
    assert bad_field[0] == 400
    assert bad_field[1]["o:errorDetails"][0]["o:errorPath"] == "item.items[0].item"
    assert (missing[0], missing[1]["o:errorDetails"][0]["o:errorCode"]) == (404, "NONEXISTENT_ID")
    assert "Unknown identifier 'nonsense'" in bad_query[1]["o:errorDetails"][0]["detail"]
