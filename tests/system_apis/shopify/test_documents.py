"""Every document that is sent is one that Shopify understands and lets run."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_client_schema, parse, validate

from strata.connections import Connection
from system_apis.shopify import documents, mapping
from system_apis.shopify.client import ShopifyClient
from system_apis.shopify.documents import Document
from tests.sandboxes import Sandbox

SCHEMA = Path(__file__).resolve().parents[3] / "sandbox/shopify/schema/admin-graphql.2026-10.introspection.json.gz"
MOST_POINTS = 1000
READS: dict[str, dict[str, Any]] = {
    "order": {"id": "gid://shopify/Order/1"},
    "orderLines": {"id": "gid://shopify/Order/1", "after": None},
    "orders": {"first": 250, "after": None, "query": ""},
    "fulfillmentOrders": {"id": "gid://shopify/Order/1", "after": None},
    "fulfillmentOrderLines": {"id": "gid://shopify/FulfillmentOrder/1", "after": None},
    "fulfillments": {"id": "gid://shopify/Order/1", "first": 20, "lines": 20},
    "fulfillmentLines": {"id": "gid://shopify/Fulfillment/1", "after": None},
    "shop": {},
    "webhookSubscriptions": {"after": None},
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """The complete Admin schema of 2026-10."""
    published = json.loads(gzip.decompress(SCHEMA.read_bytes()))["data"]
    return build_client_schema(published, assume_valid=True)  # its deprecations are not all consistent


@pytest.mark.parametrize("document", documents.ALL, ids=lambda d: d.name)
class TestDocument:
    def test_it_is_valid_in_the_schema(self, document: Document[Any], schema: GraphQLSchema) -> None:
        assert validate(schema, parse(document.text)) == []

    def test_it_says_whether_it_writes(self, document: Document[Any]) -> None:
        assert document.text.startswith("mutation" if document.effect == "write" else "query")

    def test_it_has_no_value_in_its_text(self, document: Document[Any]) -> None:
        given = set(re.findall(r'"([^"]*)"', document.text))
        assert given <= {"strata", "erp_order_id", "erp_order_number", "erp_customer_id"}


class TestCost:
    def test_every_read_is_looked_at(self) -> None:
        assert set(READS) == {d.name for d in documents.ALL if d.effect == "read"}

    @pytest.mark.parametrize("name", READS)
    async def test_one_query_stays_under_what_shopify_allows(
        self, sandbox: Sandbox, open_shop: Callable[[Connection], ShopifyClient], name: str
    ) -> None:
        client = open_shop(sandbox.shop())
        document: Document[Any] = next(d for d in documents.ALL if d.name == name)
        await client.run(document, READS[name])
        assert 0 < client.points.cost_of(name) <= MOST_POINTS


class TestTables:
    @pytest.mark.parametrize(
        ("table", "enumeration"),
        [
            (mapping.FINANCIAL_STATE, "OrderDisplayFinancialStatus"),
            (mapping.FULFILMENT_STATE, "OrderDisplayFulfillmentStatus"),
            (mapping.FRAUD_RISK, "OrderRiskRecommendationResult"),
        ],
    )
    def test_every_value_that_shopify_has_is_in_the_table(
        self, schema: GraphQLSchema, table: dict[str, str], enumeration: str
    ) -> None:
        kind: Any = schema.type_map[enumeration]
        assert set(table) == set(kind.values)
