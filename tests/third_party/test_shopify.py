"""The Shopify sandbox in the hands of the PyPI `ShopifyAPI` client, over TLS and under the vendor's host names."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from sandbox.core.server import Sandbox

SCRIPT = Path(__file__).with_name("shopify_client.py")


async def test_the_pypi_client_does_all_it_can(tmp_path: Path, foreign_python: Path) -> None:
    async with Sandbox(["shopify"], tmp_path) as info:
        client = await asyncio.create_subprocess_exec(
            foreign_python, SCRIPT, tmp_path / "sandbox.json",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"SSL_CERT_FILE": str(info["shopify"]["ca_file"]), "NO_PROXY": "*", "no_proxy": "*"},
        )  # fmt: skip
        out, errors = await client.communicate()
    assert client.returncode == 0, errors.decode()
    seen: dict[str, Any] = json.loads(out)
    names = [f"#{1001 + i}" for i in range(5)]
    assert seen == {
        "shop": ["Northwind Outfitters", "USD"],
        "scopes": True,
        "created": ["#1001", "24.7"],
        "read": ["#1001", "24.70", "Lamp — Größe L", 2],
        "pages": [1001, 1002, 1003, 1004, 1005],
        "count": 5,
        "since": ["#1005"],
        "updated": [[], []],
        "tag": "erp:1",
        "shipped": "SUCCESS",
        "tracking": ["1Z"],
        "delta": names,
        "upserted": [True, "Zoé"],
        "bad_field": "undefinedField",
        "missing": {"order": None},
        "missing_rest": 404,
        "old_version": "Northwind Outfitters",
        "other_shop": ["EUR", 0],
        "bad_token": 401,
        "granted": "northwind-us.myshopify.com",
        "throttled": "THROTTLED",
        "throttled_rest": 429,
    }
