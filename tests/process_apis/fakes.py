"""A shop and an ERP at the edge: they serve the system contracts from memory, and fail when told to.

The ERP adds up an order as NetSuite does (amounts, taxes as given, shipping taxed by the rate of its tax code), without
any code of the product.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from strata.canonical.common import VendorRef
from strata.canonical.customers import CustomerDraft, CustomerMatch, Item
from strata.canonical.money import Money
from strata.canonical.orders import ChannelOrder, OrderRef, OrderStatus, SalesOrder, Shipment
from strata.contracts.operation import Contract, contract_of
from strata.contracts.system import ChannelFulfilments, ChannelOrders, Customers, Fulfilments, Orders, Products
from strata.contracts.system.channel_fulfilments import (
    ChannelFulfilment,
    FulfilmentRef,
    FulfilmentState,
    NewFulfilment,
    OpenLine,
    Tracking,
)
from strata.contracts.system.channel_orders import ChannelOrderHead, ChannelOrderPage, ErpLink
from strata.contracts.system.fulfilments import ShipmentPage
from strata.contracts.system.products import ItemLookup
from strata.errors import Invalid, NotFound, StrataError, UnknownOutcome

T0 = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EXPONENTS = {"JPY": 0, "KWD": 3}
ERP_TAX_RATES = {
    "11": "0.0725", "12": "0.04", "13": "0.045", "14": "0.0625", "15": "0.065", "16": "0.06625", "17": "0.05",
    "18": "0.19", "19": "0.07", "20": "0.2", "21": "0", "": "0",
}  # fmt: skip
"""Rates of the ERP's own tax codes."""


class Faults:
    """What goes wrong next: operation -> errors to raise, one a call; `after` does the work first."""

    def __init__(self) -> None:
        self.before: dict[str, list[StrataError]] = {}
        self.after: dict[str, list[StrataError]] = {}
        self.calls: list[str] = []

    def enter(self, operation: str) -> None:
        """A call begins."""
        self.calls.append(operation)
        if self.before.get(operation):
            raise self.before[operation].pop(0)

    def leave(self, operation: str) -> None:
        """The work of a call is done; its answer may get lost."""
        if self.after.get(operation):
            raise self.after[operation].pop(0)

    def lose_answer(self, operation: str) -> None:
        """Do the work of the next call, then answer nothing."""
        self.after.setdefault(operation, []).append(UnknownOutcome(f"{operation} did not answer"))

    def count(self, operation: str) -> int:
        """How often an operation was called."""
        return self.calls.count(operation)


def _round(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-EXPONENTS.get(currency, 2)), ROUND_HALF_UP)


def netsuite_total(order: SalesOrder) -> Decimal:
    """What NetSuite comes to: each amount and each given tax rounded, shipping taxed by its code's rate."""
    currency = order.currency
    result = Decimal(0)
    for line in order.lines:
        amount = _round(line.amount.amount, currency)
        rate = Decimal(ERP_TAX_RATES[line.tax_code])
        result += amount + _round(line.tax.amount if line.tax is not None else amount * rate, currency)
    if order.shipping_cost is not None:
        cost = _round(order.shipping_cost.amount, currency)
        result += cost + _round(cost * Decimal(ERP_TAX_RATES[order.shipping_tax_code]), currency)
    return result


def item(sku: str, number: int, *, kind: str = "inventory", active: bool = True) -> Item:
    """An item of the ERP."""
    ref = VendorRef("erp", "netsuite", str(number))
    return msgspec.convert({"ref": ref, "sku": sku, "name": sku, "kind": kind, "active": active}, Item)


class FakeErp(Customers, Orders, Products, Fulfilments):
    """An ERP of one account."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.items = {
            i.sku: i
            for i in (
                item("NW-A", 1), item("NW-B", 2), item("NW-C", 3), item("NW-OFF", 4, active=False),
                item("NW-KIT", 5, kind="kit"), item("NW-SRV", 6, kind="service"),
                item("NW-GIFT-50", 7, kind="gift_card"), item("Line Discount", 205, kind="discount"),
                item("Rounding", 208, kind="discount"), item("Shipping", 209, kind="service"),
            )
        }  # fmt: skip
        self.customers: dict[str, CustomerMatch] = {}
        self.drafts: dict[str, CustomerDraft] = {}
        self.orders: dict[str, SalesOrder] = {}
        self.totals: dict[str, Decimal] = {}
        self.shipments: dict[str, Shipment] = {}
        self.put_orders = 0
        self.overwritten = 0
        """How often a customer that was there was written over."""
        self.surcharge = Decimal(0)
        """What the ERP adds to the total of new orders, by mistake."""

    def add_customer(self, customer_id: str, email: str, name: str, **more: Any) -> CustomerMatch:
        """A customer that is there already."""
        fields: dict[str, Any] = {"selling_entities": ("1",), "currencies": ("USD",), **more}
        made = CustomerMatch(VendorRef("erp", "netsuite", customer_id), name, email=email, **fields)
        self.customers[customer_id] = made
        return made

    async def get_customer(self, customer_id: str) -> CustomerMatch:
        self.faults.enter("get_customer")
        try:
            return self.customers[customer_id]
        except KeyError:
            raise NotFound(f"no customer {customer_id}") from None

    async def find_customers(self, *, key: str = "", email: str = "") -> tuple[CustomerMatch, ...]:
        self.faults.enter("find_customers")
        return tuple(
            c
            for c in self.customers.values()
            if (key and c.key == key) or (email and c.email.casefold() == email.casefold())
        )

    async def put_customer(self, key: str, *, body: CustomerDraft, look_first: bool = False) -> CustomerMatch:
        self.faults.enter("put_customer")
        found = next((c for c in self.customers.values() if c.key == key), None)
        if found is not None and not look_first:  # an upsert: the record is overwritten, the answer tells what was sent
            sent = {"selling_entities": (body.selling_entity,), "currencies": (body.currency,)}
            self.customers[found.ref.id] = msgspec.structs.replace(found, currencies=sent["currencies"])
            self.overwritten += 1
            return msgspec.structs.replace(found, active=True, **sent)
        if not look_first:
            await asyncio.sleep(0.05)  # long enough for another order to come between
        if found is None:
            name = f"{body.first_name} {body.last_name}".strip() if body.person else body.company
            found = self.add_customer(
                str(9000 + len(self.customers)), body.email, name, key=key,
                selling_entities=(body.selling_entity,), currencies=(body.currency,),
            )  # fmt: skip
            self.drafts[found.ref.id] = body
        self.faults.leave("put_customer")
        return found

    async def allow_trading(self, customer_id: str, *, selling_entity: str, currency: str) -> CustomerMatch:
        self.faults.enter("allow_trading")
        old = self.customers[customer_id]
        new = msgspec.structs.replace(
            old,
            selling_entities=tuple(dict.fromkeys((*old.selling_entities, selling_entity))),
            currencies=tuple(dict.fromkeys((*old.currencies, currency))),
        )
        self.customers[customer_id] = new
        return new

    async def find_items(self, *, body: ItemLookup) -> tuple[Item, ...]:
        self.faults.enter("find_items")
        return tuple(self.items[sku] for sku in body.skus if sku in self.items)

    async def put_order(self, key: str, *, body: SalesOrder, look_first: bool = False) -> OrderRef:
        self.faults.enter("put_order")
        self.put_orders += 1
        created = key not in self.orders
        if created:
            customer = self.customers[body.customer_id]
            if not customer.active:
                raise Invalid(f"customer {customer.ref.id} is inactive")
            known = {i.ref.id for i in self.items.values() if i.active}
            if body.selling_entity not in customer.selling_entities or body.currency not in customer.currencies:
                raise Invalid(f"customer {customer.ref.id} cannot buy here")
            bad = [line.sku for line in body.lines if line.item_id not in known]
            if bad:
                raise Invalid(f"items {bad} cannot be sold")
            self.orders[key] = body
            self.totals[key] = netsuite_total(body) + self.surcharge
        self.faults.leave("put_order")
        return self._ref(key, created=created)

    def _ref(self, key: str, *, created: bool) -> OrderRef:
        number = 1000 + list(self.orders).index(key)
        order = self.orders[key]
        return OrderRef(
            key, VendorRef("erp", "netsuite", str(number)), f"SO-{number}", Money(self.totals[key], order.currency),
            OrderStatus.ACCEPTED, created,
        )  # fmt: skip

    async def get_order(self, key: str) -> OrderRef:
        self.faults.enter("get_order")
        if key not in self.orders:
            raise NotFound(f"no order {key}")
        return self._ref(key, created=False)

    async def list_fulfilments(self, *, updated_from: datetime, cursor: str = "", limit: int = 100) -> ShipmentPage:
        self.faults.enter("list_fulfilments")
        found = sorted(
            (s for s in self.shipments.values() if s.updated_at >= updated_from), key=lambda s: (s.updated_at, s.ref.id)
        )
        start = int(cursor or 0)
        more = str(start + limit) if len(found) > start + limit else ""
        return ShipmentPage(items=tuple(found[start : start + limit]), next=more)

    async def get_fulfilment(self, fulfilment_id: str) -> Shipment:
        self.faults.enter("get_fulfilment")
        return self.shipments[fulfilment_id]


class FakeShop(ChannelOrders, ChannelFulfilments):
    """A channel."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.orders: dict[str, ChannelOrder] = {}
        self.links: dict[str, ErpLink] = {}
        self.customer_links: dict[str, str] = {}
        self.open_lines: dict[str, list[OpenLine]] = {}
        self.fulfilments: dict[str, list[ChannelFulfilment]] = {}
        self.notifications: list[str] = []
        self._next = 1

    def place(self, order: ChannelOrder, *, locations: dict[str, str] | None = None) -> None:
        """A shopper places (or changes) an order; its lines are open at the places named, `loc-1` by default."""
        source_id = order.key.rsplit(":", 1)[1]
        self.orders[source_id] = order
        self.open_lines[source_id] = [
            OpenLine(
                line.id, f"fo-{(locations or {}).get(line.id, 'loc-1')}", f"fol-{line.id}", line.quantity, line.sku,
                (locations or {}).get(line.id, "loc-1"),
            )
            for line in order.lines
            if line.requires_shipping
        ]  # fmt: skip
        self.fulfilments.setdefault(source_id, [])

    async def get_order(self, order_id: str) -> ChannelOrder:
        self.faults.enter("get_order")
        if order_id not in self.orders:
            raise NotFound(f"no order {order_id}")
        return self.orders[order_id]

    async def list_orders(
        self, *, updated_from: datetime, updated_to: datetime | None = None, cursor: str = "", limit: int = 100
    ) -> ChannelOrderPage:
        self.faults.enter("list_orders")
        found = sorted(
            (o for o in self.orders.values() if o.updated_at >= updated_from), key=lambda o: (o.updated_at, o.key)
        )
        start = int(cursor or 0)
        heads = tuple(
            ChannelOrderHead(o.key, o.number, o.updated_at, self._linked(o)) for o in found[start : start + limit]
        )
        return ChannelOrderPage(items=heads, next=str(start + limit) if len(found) > start + limit else "")

    def _linked(self, order: ChannelOrder) -> str:
        link = self.links.get(order.key.rsplit(":", 1)[1])
        return link.erp_order_id if link else ""

    async def link_to_erp(self, order_id: str, *, body: ErpLink) -> ErpLink:
        self.faults.enter("link_to_erp")
        self.links[order_id] = body
        return body

    async def link_customer_to_erp(self, customer_id: str, *, erp_customer_id: str) -> None:
        self.faults.enter("link_customer_to_erp")
        self.customer_links[customer_id] = erp_customer_id

    async def get_state(self, order_id: str) -> FulfilmentState:
        self.faults.enter("get_state")
        return FulfilmentState(tuple(self.open_lines[order_id]), tuple(self.fulfilments[order_id]))

    async def create(self, order_id: str, *, body: NewFulfilment) -> FulfilmentRef:
        self.faults.enter("create")
        lines: dict[str, int] = {}
        for wanted in body.lines:
            index = next(
                i
                for i, x in enumerate(self.open_lines[order_id])
                if x.fulfilment_order_line_id == wanted.fulfilment_order_line_id
            )
            line = self.open_lines[order_id][index]
            if wanted.quantity > line.remaining:
                raise Invalid("quantity is more than remains")
            left = line.remaining - wanted.quantity
            self.open_lines[order_id][index] = msgspec.structs.replace(line, remaining=left)
            lines[line.order_line_id] = lines.get(line.order_line_id, 0) + wanted.quantity
        made = ChannelFulfilment(
            f"f-{self._next}", "success", T0 + timedelta(seconds=self._next), lines, body.tracking.numbers,
            body.tracking.carrier,
        )  # fmt: skip
        self._next += 1
        self.fulfilments[order_id].append(made)
        if body.notify_customer:
            self.notifications.append(made.id)
        self.faults.leave("create")
        return FulfilmentRef(made.id)

    async def update_tracking(self, fulfilment_id: str, *, body: Tracking, notify_customer: bool = False) -> None:
        self.faults.enter("update_tracking")
        for fulfilments in self.fulfilments.values():
            for index, one in enumerate(fulfilments):
                if one.id == fulfilment_id:
                    fulfilments[index] = msgspec.structs.replace(
                        one, tracking_numbers=body.numbers, carrier=body.carrier
                    )
        if notify_customer:
            self.notifications.append(fulfilment_id)


class FakeTopology:
    """Answers system clients from the fakes."""

    def __init__(self, systems: dict[str, Contract]) -> None:
        self.systems = systems

    def offering(self, contract: type[Contract]) -> tuple[str, ...]:
        """The connections that offer a contract."""
        return tuple(name for name, found in self.systems.items() if isinstance(found, contract))

    def system(self, connection: str, contract: type[Contract], *, caller: str = "") -> Any:
        """The fake behind a connection, if it offers the contract."""
        found = self.systems[connection]
        if not isinstance(found, contract):
            raise NotFound(f"{connection} does not offer {contract_of(contract).name}")
        return found
