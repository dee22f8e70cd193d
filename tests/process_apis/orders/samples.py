"""Orders as shoppers place them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from strata.canonical.common import Address, VendorRef
from strata.canonical.money import Money
from strata.canonical.orders import (
    ChannelCustomer,
    ChannelOrder,
    ChannelOrderLine,
    ChannelOrderTotals,
    ChannelShippingLine,
    Discount,
    Shipment,
    ShipmentLine,
    TaxLine,
)
from tests.process_apis.fakes import T0

SHOP = "northwind-us"
CALIFORNIA = Address("US", "Ada", "Lovelace", "", "1 Main Street", "", "Los Angeles", "CA", "90001")
BERLIN = Address("DE", "Karl", "Weiß", line1="Am Markt 1", city="Berlin", postal_code="10115")
ADA = ChannelCustomer("7001", "Ada.Lovelace@example.com", "Ada", "Lovelace")


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def ca_tax(amount: str) -> TaxLine:
    return TaxLine("California State Tax", Decimal("0.0725"), usd(amount))


def line(number: int, sku: str, quantity: int, price: str, *taxes: TaxLine, **more: Any) -> ChannelOrderLine:
    return ChannelOrderLine(f"L{number}", f"Article {sku}", quantity, usd(price), sku, taxes=taxes, **more)


def order(source_id: int = 5001, /, **changes: Any) -> ChannelOrder:
    """Two jackets and a mug to California, taxed, with shipping: 2 x 100.00 + 10.00 + 15.23 + 5.00 + 0.36."""
    key = f"sh:{changes.get('shop', SHOP)}:order:{source_id}"
    fields: dict[str, Any] = {
        "key": key,
        "ref": VendorRef(changes.get("shop", SHOP), "shopify", str(source_id), T0.isoformat()),
        "shop": SHOP,
        "number": f"#{source_id}",
        "created_at": T0,
        "updated_at": T0,
        "currency": "USD",
        "shop_currency": "USD",
        "financial_state": "paid",
        "fulfilment_state": "unfulfilled",
        "totals": ChannelOrderTotals(usd("210.00"), usd("0.00"), usd("5.00"), usd("15.59"), usd("230.59")),
        "lines": (
            line(1, "NW-A", 2, "100.00", ca_tax("14.50")),
            line(2, "NW-B", 1, "10.00", ca_tax("0.73")),
        ),
        "customer": ADA,
        "billing_address": CALIFORNIA,
        "shipping_address": CALIFORNIA,
        "shipping_lines": (ChannelShippingLine("Standard", usd("5.00"), taxes=(ca_tax("0.36"),)),),
    }
    return ChannelOrder(**(fields | changes))


def discounted(code: str = "SUMMER10") -> ChannelOrder:
    """The same with 10 % off the jackets: 20.00 less, and 1.45 less tax."""
    base = order()
    cut = Discount(usd("20.00"), code)
    lines = (
        msgspec.structs.replace(base.lines[0], discounts=(cut,), taxes=(ca_tax("13.05"),)),
        base.lines[1],
    )
    totals = ChannelOrderTotals(usd("190.00"), usd("20.00"), usd("5.00"), usd("14.14"), usd("209.14"))
    return msgspec.structs.replace(base, lines=lines, totals=totals)


def shipment(number: int, of: ChannelOrder, pieces: dict[str, int], *, version: int = 1, **changes: Any) -> Shipment:
    """Pieces of an order left the warehouse: SKU -> quantity, in the order of the ERP's lines."""
    skus = [x.sku for x in of.lines]
    fields: dict[str, Any] = {
        "ref": VendorRef("erp", "netsuite", str(number), f"v{version}"),
        "order_key": of.key,
        "order_number": "SO-1000",
        "shipped_at": T0 + timedelta(hours=1),
        "updated_at": T0 + timedelta(hours=1, minutes=version),
        "lines": tuple(ShipmentLine(sku, n, str(skus.index(sku) + 1)) for sku, n in pieces.items()),
        "carrier": "UPS",
        "tracking_numbers": (f"1Z{number}",),
    }
    return Shipment(**(fields | changes))
