"""Runs in .venv-foreign: everything the PyPI ShopifyAPI client can do against the sandbox, told as JSON on stdout.

The client's host names are hard-coded to *.myshopify.com; only name resolution is bent, to this machine.
"""

# ruff: noqa: E501, S310  # GraphQL documents read better on one line; the URLs are the sandbox's own
from __future__ import annotations

import json
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pyactiveresource.connection
import shopify

sandbox = json.loads(Path(sys.argv[1]).read_text())["vendors"]["shopify"]
port = int(sandbox["tls_url"].rsplit(":", 1)[1])
real_getaddrinfo = socket.getaddrinfo


def to_loopback(host, *more, **named):
    return real_getaddrinfo("127.0.0.1" if str(host).endswith(".myshopify.com") else host, *more, **named)


socket.getaddrinfo = to_loopback
client = sandbox["auth"]["client_credentials"]
shopify.Session.setup(api_key=client["client_id"], secret=client["client_secret"], port=port)
seen = {}


def session(place, version="2026-10", token=None):
    shop = sandbox["shops"][place]
    shopify.ShopifyResource.activate_session(shopify.Session(shop["shop"], version, token or shop["access_token"]))


def graphql(query, variables=None):
    return json.loads(shopify.GraphQL().execute(query, variables))


session(0)
seen["shop"] = [shopify.Shop.current().name, shopify.Shop.current().currency]
seen["scopes"] = "read_orders" in [scope.handle for scope in shopify.AccessScope.find()]

create = """mutation($order: OrderCreateOrderInput!) { orderCreate(order: $order) {
  order { id legacyResourceId name totalPriceSet { shopMoney { amount } } fulfillmentOrders(first: 1) { nodes { id } } }
  userErrors { field message } } }"""
line = {
    "title": "Lamp — Größe L",
    "sku": "LAMP",
    "quantity": 2,
    "priceSet": {"shopMoney": {"amount": "12.35", "currencyCode": "USD"}},
}
made = [
    graphql(create, {"order": {"lineItems": [line], "email": f"c{i}@example.com"}})["data"]["orderCreate"]["order"]
    for i in range(5)
]
seen["created"] = [made[0]["name"], made[0]["totalPriceSet"]["shopMoney"]["amount"]]

order = shopify.Order.find(int(made[0]["legacyResourceId"]))
seen["read"] = [order.name, order.total_price, order.line_items[0].title, order.line_items[0].quantity]
page = shopify.Order.find(limit=2, status="any")
numbers = [o.order_number for o in page]
while page.has_next_page():
    page = page.next_page()
    numbers += [o.order_number for o in page]
seen["pages"] = sorted(numbers)
seen["count"] = shopify.Order.count(status="any")
seen["since"] = [o.name for o in shopify.Order.find(since_id=int(made[3]["legacyResourceId"]))]

updated = graphql(
    """mutation($id: ID!) { tagsAdd(id: $id, tags: ["erp:1"]) { userErrors { message } }
       metafieldsSet(metafields: [{ownerId: $id, namespace: "strata", key: "erp_order_id", type: "single_line_text_field", value: "9"}]) {
         userErrors { message } } }""",
    {"id": made[0]["id"]},
)
seen["updated"] = [updated["data"]["tagsAdd"]["userErrors"], updated["data"]["metafieldsSet"]["userErrors"]]
seen["tag"] = shopify.Order.find(int(made[0]["legacyResourceId"])).tags
shipped = graphql(
    """mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment { status } userErrors { message } } }""",
    {
        "f": {
            "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": made[0]["fulfillmentOrders"]["nodes"][0]["id"]}],
            "trackingInfo": {"number": "1Z"},
        }
    },
)
seen["shipped"] = shipped["data"]["fulfillmentCreate"]["fulfillment"]["status"]
seen["tracking"] = [f.tracking_number for f in shopify.Fulfillment.find(order_id=int(made[0]["legacyResourceId"]))]
delta = """query($q: String!, $after: String) { orders(first: 2, query: $q, after: $after, sortKey: UPDATED_AT) {
  nodes { name } pageInfo { hasNextPage endCursor } } }"""
names, after = [], None
while True:
    found = graphql(delta, {"q": "updated_at:>='2020-01-01T00:00:00Z' AND NOT tag:none", "after": after})["data"][
        "orders"
    ]
    names += [node["name"] for node in found["nodes"]]
    after = found["pageInfo"]["endCursor"]
    if not found["pageInfo"]["hasNextPage"]:
        break
seen["delta"] = sorted(names)
upsert = """mutation($e: String!, $n: String!) { customerSet(identifier: {email: $e}, input: {email: $e, firstName: $n}) { customer { id firstName } userErrors { message } } }"""
first = graphql(upsert, {"e": "zoe@example.com", "n": "Zoë"})["data"]["customerSet"]["customer"]
again = graphql(upsert, {"e": "zoe@example.com", "n": "Zoé"})["data"]["customerSet"]["customer"]
seen["upserted"] = [first["id"] == again["id"], again["firstName"]]

seen["bad_field"] = graphql("{ shop { nope } }")["errors"][0]["extensions"]["code"]
seen["missing"] = graphql('{ order(id: "gid://shopify/Order/1") { id } }')["data"]
try:
    shopify.Order.find(1)
except pyactiveresource.connection.ResourceNotFound as error:
    seen["missing_rest"] = error.code

session(0, version="2024-10")
seen["old_version"] = graphql("{ shop { name } }")["data"]["shop"]["name"]
session(1)
seen["other_shop"] = [shopify.Shop.current().currency, shopify.Order.count(status="any")]
session(0, token="shpat_wrong")
try:
    shopify.Shop.current()
except pyactiveresource.connection.UnauthorizedAccess as error:
    seen["bad_token"] = error.code

grant = json.dumps(
    {"grant_type": "client_credentials", "client_id": client["client_id"], "client_secret": client["client_secret"]}
).encode()
request = urllib.request.Request(client["token_url"], grant, {"Content-Type": "application/json"})
session(0, token=json.loads(urllib.request.urlopen(request).read())["access_token"])
seen["granted"] = shopify.Shop.current().myshopify_domain


def control(path, body):
    request = urllib.request.Request(
        f"{sandbox['control_url']}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request).read()


control("faults", {"kind": "throttle", "times": 2})
seen["throttled"] = graphql("{ shop { name } }")["errors"][0]["extensions"]["code"]
try:
    shopify.Shop.current()
except pyactiveresource.connection.ClientError as error:
    seen["throttled_rest"] = error.code
print(json.dumps(seen))
