"""Texts and codes of graphql-ruby; source of the expectations: graphql-ruby's own static validation tests."""

# ruff: noqa: E501  # GraphQL documents read better on one line
from __future__ import annotations

import pytest
from graphql import build_client_schema, get_introspection_query

from tests.sandbox.shopify.conftest import custom

ORDERS = "query($n: Int!, $after: String, $q: String) { orders(first: $n, after: $after, query: $q, sortKey: UPDATED_AT) { edges { cursor node { id name } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"


class TestDocumentErrors:
    @pytest.mark.parametrize(
        ("query", "message", "code"),
        [
            ("{ shop { nope } }", "Field 'nope' doesn't exist on type 'Shop'", "undefinedField"),
            ("{ shop }", "Field must have selections (field 'shop' returns Shop but has no selections. Did you mean 'shop { ... }'?)", "selectionMismatch"),
            ("{ shop { name { x } } }", "Selections can't be made on scalars (field 'name' returns String but has selections [\"x\"])", "selectionMismatch"),
            ("{ shop(a: 1) { name } }", "Field 'shop' doesn't accept argument 'a'", "argumentNotAccepted"),
            ("{ order { id } }", "Field 'order' is missing required arguments: id", "missingRequiredArguments"),
            ('{ orders(first: "x") { nodes { id } } }', "Argument 'first' on Field 'orders' has an invalid value (\"x\"). Expected type 'Int'.", "argumentLiteralsIncompatible"),
            ("{ orders(first: 1, sortKey: NOPE) { nodes { id } } }", "Argument 'sortKey' on Field 'orders' has an invalid value (NOPE). Expected type 'OrderSortKeys'.", "argumentLiteralsIncompatible"),
            ("mutation { orderMarkAsPaid(input: {}) { order { id } } }", "Argument 'id' on InputObject 'OrderMarkAsPaidInput' is required. Expected type ID!", "missingRequiredInputObjectAttribute"),
            ('mutation { orderMarkAsPaid(input: {id: "1", x: 2}) { order { id } } }', "InputObject 'OrderMarkAsPaidInput' doesn't accept argument 'x'", "argumentNotAccepted"),
            ("query($id: ID!) { shop { name } }", "Variable $id is declared by anonymous query but not used", "variableNotUsed"),
            ("query Q { order(id: $id) { id } }", "Variable $id is used by query Q but not declared", "variableNotDefined"),
            ("query($id: String) { order(id: $id) { id } }", "Type mismatch on variable $id and argument id (String / ID!)", "variableMismatch"),
            ("{ shop { ...f } }", "Fragment f was used, but not defined", "useAndDefineFragment"),
            ("{ shop { name } } fragment f on Shop { name }", "Fragment f was defined, but not used", "useAndDefineFragment"),
        ],
    )  # fmt: skip
    async def test_wording(self, shop, query, message, code):
        answer = await shop.answer(query)
        assert "data" not in answer
        assert (answer["errors"][0]["message"], answer["errors"][0]["extensions"]["code"]) == (message, code)

    async def test_place_and_path_of_an_undefined_field(self, shop):
        [error] = (await shop.answer("query Q {\n  shop { nope } }"))["errors"]
        assert error["locations"] == [{"line": 2, "column": 10}]
        assert error["path"] == ["query Q", "shop", "nope"]
        assert error["extensions"] == {"code": "undefinedField", "typeName": "Shop", "fieldName": "nope"}

    async def test_a_syntax_error(self, shop):
        [error] = (await shop.answer("{ shop { name }"))["errors"]
        assert error["message"] == "syntax error, unexpected end of file at [1, 16]"

    async def test_a_wrong_variable_tells_where(self, shop):
        query = "mutation($i: OrderInput!) { orderUpdate(input: $i) { order { id } } }"
        [error] = (await shop.answer(query, {"i": {"tags": [1], "x": 1}}))["errors"]
        assert error["message"] == (
            "Variable $i of type OrderInput! was provided invalid value for x (Field is not defined on OrderInput), "
            "id (Expected value to not be null), tags.0 (Could not coerce value 1 to String)"
        ) or error["message"].startswith(
            "Variable $i of type OrderInput! was provided invalid value for x (Field is not defined"
        )
        assert error["extensions"]["code"] == "INVALID_VARIABLE"
        assert {"path": ["x"], "explanation": "Field is not defined on OrderInput"} in error["extensions"]["problems"]
        assert {"path": ["id"], "explanation": "Expected value to not be null"} in error["extensions"]["problems"]

    async def test_a_missing_variable(self, shop):
        [error] = (await shop.answer("query($id: ID!) { order(id: $id) { id } }", {}))["errors"]
        assert error["message"] == "Variable $id of type ID! was provided invalid value"

    async def test_what_is_not_simulated_says_so_before_anything_is_done(self, shop):
        answer = await shop.answer(
            'mutation { tagsAdd(id: "gid://shopify/Order/1", tags: []) { node { id } } orderEditBegin(id: "x") { calculatedOrder { id } } }'
        )
        assert answer["errors"][0]["extensions"]["code"] == "NOT_SIMULATED"
        assert "not available in the sandbox" in answer["errors"][0]["message"]


class TestExecution:
    async def test_a_bad_id_is_an_error_and_an_unknown_one_is_null(self, shop):
        answer = await shop.answer('{ a: order(id: "x") { id } b: order(id: "gid://shopify/Order/1") { id } }')
        assert answer["data"] == {"a": None, "b": None}
        assert [e["message"] for e in answer["errors"]] == ["Invalid global id 'x'"]

    async def test_another_shops_order_is_not_there(self, shop):
        order = await shop.of("northwind-eu").create(lineItems=[custom("a", "1", currency="EUR")])
        assert (await shop.data("query($id: ID!) { order(id: $id) { id } }", {"id": order["id"]}))["order"] is None

    async def test_aliases_fragments_skip_and_several_roots(self, shop):
        data = await shop.data(
            'query($s: Boolean!) { a: shop { ...f } b: shop { id @skip(if: $s) name } node(id: "gid://shopify/Shop/1") { id } } fragment f on Shop { n: name __typename }',
            {"s": True},
        )
        assert data == {
            "a": {"n": "Northwind Outfitters", "__typename": "Shop"},
            "b": {"name": "Northwind Outfitters"},
            "node": None,
        }

    async def test_introspection_gives_the_whole_schema(self, shop):
        answer = await shop.answer(get_introspection_query(descriptions=False))
        schema = build_client_schema(answer["data"])
        assert len(schema.type_map) > 3000
        assert "idempotent" in {d.name for d in schema.directives}

    async def test_operation_name_chooses(self, shop):
        query = "query A { shop { name } } query B { shop { currencyCode } }"
        assert (await shop.answer(query, operationName="B"))["data"] == {"shop": {"currencyCode": "USD"}}
        assert (await shop.answer(query))["errors"][0]["message"] == "An operation name is required"
        assert (await shop.answer(query, operationName="C"))["errors"][0]["message"] == 'No operation named "C"'


class TestPaging:
    async def test_walking_forward_meets_each_once(self, shop):
        made = [(await shop.create())["id"] for _ in range(5)]
        seen, after = [], None
        for _ in range(3):
            page = (await shop.data(ORDERS, {"n": 2, "after": after}))["orders"]
            seen += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
        assert seen == made
        assert page["pageInfo"]["hasNextPage"] is False
        assert page["pageInfo"]["hasPreviousPage"] is True

    async def test_backward_and_reverse(self, shop):
        made = [(await shop.create())["id"] for _ in range(4)]
        ask = "query($b: String, $r: Boolean) { orders(last: 2, before: $b, sortKey: ID, reverse: $r) { nodes { id } pageInfo { startCursor hasPreviousPage } } }"
        page = (await shop.data(ask, {"r": False}))["orders"]
        assert [n["id"] for n in page["nodes"]] == made[2:]
        assert page["pageInfo"]["hasPreviousPage"] is True
        page = (await shop.data(ask, {"r": False, "b": page["pageInfo"]["startCursor"]}))["orders"]
        assert [n["id"] for n in page["nodes"]] == made[:2]
        assert [n["id"] for n in (await shop.data(ask, {"r": True}))["orders"]["nodes"]] == made[1::-1]

    @pytest.mark.parametrize(
        "args", ["", "(first: 251)", "(first: -1)", "(first: 1, last: 1)", '(first: 1, after: "???")']
    )
    async def test_bad_pages(self, shop, args):
        answer = await shop.answer(f"{{ orders{args} {{ nodes {{ id }} }} }}")
        assert answer["errors"]
        assert answer.get("data") is None

    async def test_delta_by_updated_at_has_the_resolution_of_a_second(self, shop):
        await shop.control("clock", {"set": "2026-11-01T10:00:00Z", "freeze": True})
        first = await shop.create()
        await shop.control("clock", {"offset_s": 1})
        second = await shop.create()
        find = lambda sign: {"n": 5, "q": f"updated_at:{sign}'2026-11-01T10:00:01Z'"}  # noqa: E731
        assert [n["id"] for n in (await shop.data(ORDERS, find(">=")))["orders"]["nodes"]] == [second["id"]]
        assert [n["id"] for n in (await shop.data(ORDERS, find("<")))["orders"]["nodes"]] == [first["id"]]


class TestCost:
    async def test_what_is_asked_and_what_it_was(self, shop):
        await shop.create()
        cost = (
            await shop.answer(
                "{ shop { name } orders(first: 10) { nodes { customer { id } lineItems(first: 5) { nodes { sku } } } } }"
            )
        )["extensions"]["cost"]
        assert cost["requestedQueryCost"] == 1 + 10 * (1 + 1 + 5)
        assert cost["actualQueryCost"] == 1 + (1 + 0 + 1)
        assert cost["throttleStatus"]["maximumAvailable"] == 20_000.0
        assert cost["throttleStatus"]["restoreRate"] == 1000.0

    async def test_variables_size_connections(self, shop):
        answer = await shop.answer("query($n: Int = 7) { orders(first: $n) { nodes { id } } }", {"n": 9})
        assert answer["extensions"]["cost"]["requestedQueryCost"] == 9
        answer = await shop.answer("query($n: Int = 7) { orders(first: $n) { nodes { id } } }")
        assert answer["extensions"]["cost"]["requestedQueryCost"] == 7

    async def test_a_mutation_costs_ten(self, shop):
        answer = await shop.answer(
            'mutation { tagsAdd(id: "gid://shopify/Order/1", tags: ["a"]) { node { id } userErrors { message } } }'
        )
        assert answer["extensions"]["cost"]["requestedQueryCost"] == 12

    async def test_too_dear_is_refused(self, shop):
        answer = await shop.answer("{ orders(first: 250) { nodes { lineItems(first: 100) { nodes { id } } } } }")
        assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
        assert "exceeds the single query max cost limit (1000)" in answer["errors"][0]["message"]

    async def test_an_empty_bucket_throttles_and_time_refills_it(self, shop):
        await shop.control("limits", {"bucket_size": 100, "restore_rate": 50})
        await shop.control("clock", {"freeze": True})
        ask = "{ orders(first: 90) { nodes { id } } locations(first: 5) { nodes { id } } }"
        assert "data" in await shop.answer("{ locations(first: 50) { nodes { id } } }")
        throttled = await shop.answer(ask.replace("90", "95"))
        assert throttled["errors"] == [
            {
                "message": "Throttled",
                "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
            }
        ]
        assert throttled["extensions"]["cost"]["actualQueryCost"] is None
        assert throttled["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 98
        await shop.control("clock", {"offset_s": 1})
        assert "data" in await shop.answer(ask.replace("90", "95"))


class TestFaultsInTheVendorsForm:
    async def test_throttle(self, shop):
        await shop.control("faults", {"kind": "throttle", "times": 1, "match": {"operation": "orderCreate"}})
        assert "data" in await shop.answer("{ shop { name } }")
        answer = await shop.answer("mutation { orderCreate(order: {lineItems: []}) { order { id } } }")
        assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"

    async def test_the_next_two_orders_are_committed_and_never_answered(self, shop):
        await shop.control(
            "faults", {"kind": "timeout_after", "hang_s": 0.01, "times": 2, "match": {"operation": "orderCreate"}}
        )
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                await shop.create()
        third = (await shop.create())["name"]
        numbers = [int(order["name"].removeprefix("#")) for order in await shop.state("order")]
        assert sorted(numbers) == [int(third.removeprefix("#")) - back for back in (2, 1, 0)]

    async def test_server_errors(self, shop):
        await shop.control("faults", {"kind": "status", "status": 502, "times": 1})
        answer = await shop.raw("{ shop { name } }")
        assert (answer.status_code, answer.json()) == (502, {"errors": "Bad Gateway"})
        assert answer.headers["x-request-id"]
