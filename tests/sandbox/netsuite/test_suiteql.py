"""SuiteQL: results as NetSuite shows them, queries that integrations send, and refusals."""

# ruff: noqa: E501  # tables of cases read best a case a line
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.core.clock import ClockChange

if TYPE_CHECKING:
    from tests.sandbox.netsuite.conftest import Account

REFUSED = "Invalid search query. Detailed unprocessed description follows. "
UNSUPPORTED = f"{REFUSED}Search error occurred: Invalid or unsupported search."
# what connectors poll: fulfilments changed since a moment, with their lines and the order that each line came from
CHANGED = """
SELECT f.id, f.tranid, f.status, TO_CHAR(f.lastmodifieddate, 'YYYY-MM-DD"T"HH24:MI:SS') AS changed,
       so.id AS order_id, so.externalid AS order_key, link.previousline AS order_line, tl.item,
       -1 * tl.quantity AS quantity
FROM transaction f
JOIN previoustransactionlinelink link ON link.nextdoc = f.id AND link.linktype = 'ShipRcpt'
JOIN transaction so ON so.id = link.previousdoc AND so.type = 'SalesOrd'
JOIN transactionline tl ON tl.transaction = f.id AND tl.id = link.nextline
WHERE f.type = 'ItemShip'
  AND f.lastmodifieddate >= TO_TIMESTAMP('{since}', 'YYYY-MM-DD HH24:MI:SS')
ORDER BY f.lastmodifieddate, f.id, link.nextline
"""
TRACKING = """
SELECT map.transaction, number.trackingnumber
FROM trackingnumbermap map JOIN trackingnumber number ON number.id = map.trackingnumber
WHERE map.transaction IN ({ids}) ORDER BY number.id
"""


async def shipped(account: Account) -> None:
    """Two orders, the first shipped in two parts an hour apart."""
    account.vendor.context.clock.change(ClockChange(freeze=True))
    for number in (1, 2):
        lines = [
            {"item": {"externalId": "NW-WOOL-36-"}, "quantity": 3, "rate": 10},
            {"item": {"externalId": "NW-TREK-PAI"}, "quantity": 1, "rate": 79},
        ]
        body = {"entity": {"id": "101"}, "location": {"externalId": "PDX"}, "item": {"items": lines}}
        assert (await account.call("PUT", f"salesOrder/eid:sh:x:order:{number}", body)).status_code == 204
    part = {"externalId": "sh:x:order:1", "lines": [{"line": 1, "quantity": 2}], "tracking": ["1Z1", "1Z2"]}
    account.seed(fulfil=part)
    account.vendor.context.clock.change(ClockChange(offset_s=3600))
    account.seed(fulfil={"externalId": "sh:x:order:1", "tracking": "1Z3"})


async def test_the_shape_of_an_answer(account: Account) -> None:
    answer = await account.suiteql("SELECT id, email, isinactive, companyname FROM customer ORDER BY id", limit=2)
    page = answer.json()
    assert page["items"][0] == {"links": [], "id": "101", "email": "grace.lopez.1@example.com", "isinactive": "F"}
    assert (page["count"], page["hasMore"], page["offset"], page["totalResults"]) == (2, True, 0, 200)
    assert {link["rel"] for link in page["links"]} == {"self", "next", "last"}
    ids: list[str] = []
    for offset in range(0, 200, 50):
        ids += [
            row["id"] for row in await account.query("SELECT id FROM customer ORDER BY id", limit=50, offset=offset)
        ]
    assert ids == [str(number) for number in range(101, 301)]
    beyond = (await account.suiteql("SELECT id FROM customer", limit=100, offset=300)).json()
    assert (beyond["items"], beyond["totalResults"], beyond["hasMore"]) == ([], 200, False)


async def test_the_prefer_header_is_required(account: Account) -> None:
    answer = await account.call("POST", "/services/rest/query/v1/suiteql", {"q": "SELECT id FROM customer"})
    assert (answer.status_code, answer.json()["o:errorDetails"][0]["o:errorHeader"]) == (400, "Prefer")


async def test_fulfilments_changed_since_a_moment(account: Account) -> None:
    await shipped(account)
    now = account.vendor.context.clock.now()
    everything = await account.query(CHANGED.format(since="2020-01-01 00:00:00"))
    seen = [(row["tranid"], row["order_key"], row["order_line"], row["quantity"]) for row in everything]
    assert seen == [
        ("IF-5001", "sh:x:order:1", "1", "2"),
        ("IF-5002", "sh:x:order:1", "1", "1"),
        ("IF-5002", "sh:x:order:1", "2", "1"),
    ]
    since = now.strftime("%Y-%m-%d %H:%M:%S")
    late = await account.query(CHANGED.format(since=since))
    assert {row["tranid"] for row in late} == {"IF-5002"}
    assert late[0]["changed"] == now.strftime("%Y-%m-%dT%H:%M:%S")
    ids = ",".join(sorted({row["id"] for row in everything}))
    assert [row["trackingnumber"] for row in await account.query(TRACKING.format(ids=ids))] == ["1Z1", "1Z2", "1Z3"]
    packages = "SELECT packagetrackingnumber FROM itemfulfillmentpackage ORDER BY packagetrackingnumber"
    assert [row["packagetrackingnumber"] for row in await account.query(packages)] == ["1Z1", "1Z2", "1Z3"]


async def test_the_cost_half_of_a_shipment_is_a_line_too(account: Account) -> None:
    await shipped(account)
    rows = await account.query(
        "SELECT tl.quantity, tl.iscogs FROM transactionline tl JOIN transaction t ON t.id = tl.transaction"
        " WHERE t.tranid = 'IF-5001' AND tl.mainline = 'F' ORDER BY tl.id"
    )
    assert [(row["quantity"], row["iscogs"]) for row in rows] == [("-2", "F"), ("2", "T")]


async def test_display_values(account: Account) -> None:
    await shipped(account)
    [row] = await account.query(
        "SELECT BUILTIN.DF(t.status) s, BUILTIN.DF(t.entity) e, BUILTIN.DF(t.type) k, BUILTIN.CF(t.status) c,"
        " t.trandate, t.foreigntotal, t.lastmodifieddate FROM transaction t WHERE t.externalid = 'sh:x:order:2'"
    )
    now = account.vendor.context.clock.now()
    today = f"{now.month}/{now.day}/{now.year}"
    assert (row["s"], row["e"], row["k"]) == ("Sales Order : Pending Fulfillment", "CUS1000", "Sales Order")
    assert (row["c"], row["foreigntotal"]) == ("SalesOrd:B", "109")
    assert row["trandate"] in (today, row["lastmodifieddate"])


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT COUNT(*), COUNT(DISTINCT currency) FROM customer", [{"expr1": "200", "expr2": "3"}]),
        ("SELECT 10/4 a, 0.1+0.2 b, MOD(7,3) c, -2*3 d, 1-1 e FROM dual", [{"a": "2.5", "b": "0.3", "c": "1", "d": "-6", "e": "0"}]),
        ("SELECT 'a'||NULL||'b' x, NVL(NULL,'n') y, NULLIF('a','a') z FROM dual", [{"x": "ab", "y": "n"}]),
        ("SELECT DECODE(2, 1,'one', 2,'two') d, CASE WHEN 1=2 THEN 'x' ELSE 'y' END c FROM dual", [{"d": "two", "c": "y"}]),
        ("SELECT UPPER('zoë') u, SUBSTR('abcdef', 2, 3) s, INSTR('abc','c') i, LPAD('7',3,'0') l FROM dual", [{"u": "ZOË", "s": "bcd", "i": "3", "l": "007"}]),
        ("SELECT TO_CHAR(TO_DATE('2026-01-31','YYYY-MM-DD') + 1, 'DD/MM/YYYY') d FROM dual", [{"d": "01/02/2026"}]),
        ("SELECT ADD_MONTHS(TO_DATE('2026-01-31','YYYY-MM-DD'), 1) d FROM dual", [{"d": "2/28/2026"}]),
        ("SELECT TO_DATE('3/1/2026') - TO_DATE('2/1/2026') d FROM dual", [{"d": "28"}]),
        ("SELECT TO_CHAR(1234.5, 'FM9,999.00') n FROM dual", [{"n": "1,234.50"}]),
        ("SELECT TRUNC(TO_DATE('2026-08-17','YYYY-MM-DD'), 'Q') d, EXTRACT(YEAR FROM TO_DATE('8/17/2026')) y FROM dual", [{"d": "7/1/2026", "y": "2026"}]),
        ("SELECT id FROM customer WHERE id = '101' OR email = ''", [{"id": "101"}]),
        ("SELECT id FROM customer WHERE email LIKE 'GRACE%'", []),
        ("SELECT c.id FROM customer c WHERE c.id IN (101, 102) AND NOT EXISTS (SELECT 1 FROM contact k WHERE k.company = c.id) ORDER BY c.id DESC", [{"id": "102"}, {"id": "101"}]),
        ("SELECT * FROM (SELECT id, ROWNUM rn FROM customer WHERE ROWNUM <= 4) WHERE rn > 2", [{"id": "103", "rn": "3"}, {"id": "104", "rn": "4"}]),
        ("SELECT id FROM customer WHERE ROWNUM <= 2 ORDER BY id DESC", [{"id": "102"}, {"id": "101"}]),
        ("SELECT TOP 1 symbol FROM currency ORDER BY symbol", [{"symbol": "CAD"}]),
        ("SELECT symbol FROM currency ORDER BY symbol OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", [{"symbol": "EUR"}]),
        ("WITH c AS (SELECT symbol s FROM currency) SELECT s FROM c WHERE s < 'D' UNION ALL SELECT 'X' FROM dual", [{"s": "CAD"}, {"s": "X"}]),
        ("SELECT s.name, LISTAGG(l.name, '/') WITHIN GROUP (ORDER BY l.name) AS l FROM subsidiary s, location l WHERE l.subsidiary = s.id AND s.id = 1 GROUP BY s.name", [{"name": "Northwind Outfitters Inc.", "l": "Newark Warehouse/Portland Warehouse"}]),
        ("SELECT \"CUSTOMER\".\"ID\" FROM \"CUSTOMER\" WHERE \"CUSTOMER\".ENTITYID = 'CUS1000'", [{"id": "101"}]),
        ("SELECT s.id, (SELECT COUNT(*) FROM location l WHERE l.subsidiary = s.id) n FROM subsidiary s ORDER BY 2 DESC", [{"id": "1", "n": "2"}, {"id": "2", "n": "1"}]),
        ("SELECT ROW_NUMBER() OVER (ORDER BY symbol DESC) n, symbol FROM currency WHERE symbol > 'J' ORDER BY n", [{"n": "1", "symbol": "USD"}, {"n": "2", "symbol": "JPY"}]),
        ("SELECT BUILTIN.DF(quantityonhand) x, BUILTIN.DF(location) y FROM inventoryitemlocations WHERE ROWNUM < 1", []),
    ],
)  # fmt: skip
async def test_queries(account: Account, query: str, rows: list[dict[str, Any]]) -> None:
    assert [{k: v for k, v in row.items() if k != "links"} for row in await account.query(query)] == rows


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("SELECT nonsense FROM customer", "Search error occurred: Unknown identifier 'nonsense'. Available identifiers are: {customer=customer}"),
        ("SELECT c.nonsense FROM customer c", "Search error occurred: Unknown identifier 'c.nonsense'. Available identifiers are: {c=customer}"),
        ("SELECT createdfrom FROM transaction", "Search error occurred: Unknown identifier 'createdfrom'. Available identifiers are: {transaction=transaction}"),
        ("SELECT id FROM spaceship", "Invalid search type: spaceship."),
        ("SELECT id FROM doc", "Invalid search type: doc."),
        ("SELECT name FROM sqlite_master", "Invalid search type: sqlite_master."),
    ],
)  # fmt: skip
async def test_unknown_names_are_told(account: Account, query: str, detail: str) -> None:
    answer = await account.suiteql(query)
    assert answer.status_code == 400
    assert answer.json()["o:errorDetails"] == [
        {"detail": REFUSED + detail, "o:errorCode": "INVALID_PARAMETER", "o:errorQueryParam": "q"}
    ]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM customer LIMIT 5",
        "DELETE FROM customer",
        "SELECT id FROM customer; SELECT 1 FROM dual",
        "UPDATE customer SET email = 'x'",
        "SELECT id FROM customer WHERE",
        "SELECT it's FROM customer",
        "SELECT load_extension('x') FROM dual",
        "SELECT ns_op_add(1,2) FROM dual",
        "SELECT BUILTIN.CONSOLIDATE(id) FROM customer",
        "SELECT a.id FROM customer a, customer b WHERE a.id = b.id(+)",
        "PRAGMA table_info(doc)",
        "ATTACH DATABASE 'x' AS y",
        "SELECT TO_DATE('31.12.2026', 'YYYY-MM-DD') FROM dual",
        "SELECT 1/0 FROM dual",
    ],
)
async def test_what_is_not_a_supported_select_is_refused(account: Account, query: str) -> None:
    answer = await account.suiteql(query)
    assert (answer.status_code, answer.json()["o:errorDetails"][0]["detail"]) == (400, UNSUPPORTED)


async def test_columns_must_be_grouped(account: Account) -> None:
    answer = await account.suiteql("SELECT email, COUNT(*) FROM customer GROUP BY currency")
    assert "not a GROUP BY expression" in answer.text


@pytest.mark.parametrize("body", [{}, {"q": 5}, {"q": " "}])
async def test_a_body_without_query(account: Account, body: dict[str, Any]) -> None:
    path = "/services/rest/query/v1/suiteql"
    assert (await account.call("POST", path, body, headers={"Prefer": "transient"})).status_code == 400


async def test_deleted_records_can_be_found(account: Account) -> None:
    body = {"companyName": "Gone Ltd", "subsidiary": {"id": "1"}, "externalId": "gone"}
    key = await account.create("customer", body)
    await account.call("DELETE", f"customer/{key}")
    [row] = await account.query("SELECT type, recordid, externalid FROM deletedrecord WHERE type = 'customer'")
    assert (row["type"], row["recordid"], row["externalid"]) == ("customer", key, "gone")
    assert "id" not in (await account.query(f"SELECT MAX(id) AS id FROM customer WHERE id = {int(key)}"))[0]  # noqa: S608


async def test_changes_show_at_once_and_refused_ones_never(account: Account) -> None:
    await account.call("PATCH", "customer/101", {"email": "new@example.com"})
    assert (await account.query("SELECT email FROM customer WHERE id=101"))[0]["email"] == "new@example.com"
    bad = {"email": "never@example.com", "addressBook": {"items": [{"label": 5, "isResidential": "x"}]}}
    assert (await account.call("PATCH", "customer/101", bad)).status_code == 400
    assert (await account.query("SELECT email FROM customer WHERE id=101"))[0]["email"] == "new@example.com"
