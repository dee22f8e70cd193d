"""Every committed contract against the service that runs it: whatever fits the document is answered as it promises.

The services run as in the scaled-out form, one process each (`strata serve`), over the sandbox and a real PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contracts.conftest import Scaled

FOLDER = Path(__file__).resolve().parents[2] / "openapi"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ALLOWED = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)

experience = [schemathesis.openapi.from_path(p) for p in sorted((FOLDER / "experience").glob("*.json"))]
process = schemathesis.openapi.from_path(FOLDER / "process" / "order_management.v1.json")
SYSTEM = {
    name: schemathesis.openapi.from_path(FOLDER / "system" / f"{name}.v1.json")
    for name in ("orders", "customers", "products", "fulfilments", "channel_orders", "channel_fulfilments", "health")
}
web, mobile, partner = (
    next(s for s in experience if s.raw_schema["x-strata-api"] == name) for name in ("web", "mobile", "partner")
)


def judge(case: Any, base_url: str, headers: dict[str, str]) -> None:
    """Call and check; 503 and 502 are in every contract, since a backend may be away, but not here: nothing is away."""
    response = case.call(base_url=base_url, headers=headers, timeout=30)
    case.validate_response(response, checks=CHECKS)


@web.parametrize()
@ALLOWED
def test_web(case: Any, scaled: Scaled) -> None:
    judge(case, f"{scaled.gateway}/web/v1", scaled.bearer("web-app"))


@mobile.parametrize()
@ALLOWED
def test_mobile(case: Any, scaled: Scaled) -> None:
    judge(case, f"{scaled.gateway}/mobile/v1", scaled.bearer("mobile-app"))


@partner.parametrize()
@ALLOWED
def test_partner(case: Any, scaled: Scaled) -> None:
    judge(case, f"{scaled.gateway}/partner/v1", scaled.bearer("partner-app"))


@process.parametrize()
@ALLOWED
def test_order_management(case: Any, scaled: Scaled) -> None:
    judge(
        case,
        f"{scaled.url('process-orders')}/order_management/v1",
        scaled.internal("experience-web", "process-orders"),
    )


def _system(case: Any, scaled: Scaled, connection: str, vendor: str, name: str) -> None:
    service = f"system-{vendor}"
    judge(case, f"{scaled.url(service)}/{connection}/{name}/v1", scaled.internal("process-orders", service))


@SYSTEM["orders"].parametrize()
@ALLOWED
def test_netsuite_orders(case: Any, scaled: Scaled) -> None:
    _system(case, scaled, "erp", "netsuite", "orders")


@SYSTEM["customers"].parametrize()
@ALLOWED
def test_netsuite_customers(case: Any, scaled: Scaled) -> None:
    _system(case, scaled, "erp", "netsuite", "customers")


@SYSTEM["products"].parametrize()
@ALLOWED
def test_netsuite_products(case: Any, scaled: Scaled) -> None:
    _system(case, scaled, "erp", "netsuite", "products")


@SYSTEM["fulfilments"].parametrize()
@ALLOWED
def test_netsuite_fulfilments(case: Any, scaled: Scaled) -> None:
    _system(case, scaled, "erp", "netsuite", "fulfilments")


@SYSTEM["channel_orders"].parametrize()
@ALLOWED
def test_shopify_channel_orders(case: Any, scaled: Scaled) -> None:
    _system(case, scaled, "northwind-us", "shopify", "channel_orders")


@SYSTEM["channel_fulfilments"].parametrize()
@ALLOWED
def test_shopify_channel_fulfilments(case: Any, scaled: Scaled) -> None:
    _system(case, scaled, "northwind-us", "shopify", "channel_fulfilments")


@SYSTEM["health"].parametrize()
@ALLOWED
@pytest.mark.parametrize(("connection", "vendor"), [("erp", "netsuite"), ("northwind-us", "shopify")])
def test_health(case: Any, scaled: Scaled, connection: str, vendor: str) -> None:
    _system(case, scaled, connection, vendor, "health")
