"""Orders as shoppers place them, for tests: plain ones by default, odd ones by argument."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


def plain(variants: list[dict[str, Any]], number: int, *, rng: random.Random | None = None) -> dict[str, Any]:
    """One to three lines, tax on each, shipping, paid, by a customer whose address is derived from `number`."""
    rng = rng or random.Random(number)
    lines: list[dict[str, Any]] = []
    for variant in rng.sample(variants, rng.randint(1, 3)):
        quantity = rng.randint(1, 4)
        price = Decimal(variant["price"])
        tax = (price * quantity * Decimal("0.0725")).quantize(CENT, ROUND_HALF_UP)
        lines.append(
            {
                "variantId": variant["id"],
                "quantity": quantity,
                "requiresShipping": True,
                "priceSet": {"shopMoney": {"amount": str(price), "currencyCode": "USD"}},
                "taxLines": [
                    {
                        "title": "California State Tax",
                        "rate": "0.0725",
                        "priceSet": {"shopMoney": {"amount": str(tax), "currencyCode": "USD"}},
                    }
                ],
            }
        )
    return {
        "currency": "USD",
        "email": f"shopper{number}@example.com",
        "financialStatus": "PAID",
        "lineItems": lines,
        "shippingLines": [{"title": "Standard", "priceSet": {"shopMoney": {"amount": "7.50", "currencyCode": "USD"}}}],
        "shippingAddress": ADDRESS,
        "billingAddress": ADDRESS,
        "customer": {
            "toUpsert": {"email": f"shopper{number}@example.com", "firstName": "Robin", "lastName": f"Shopper{number}"}
        },
    }


ADDRESS = {
    "firstName": "Robin",
    "lastName": "Shopper",
    "address1": "1 Market Street",
    "city": "San Francisco",
    "provinceCode": "CA",
    "countryCode": "US",
    "zip": "94105",
}
GERMAN_ADDRESS = {
    "firstName": "Robin",
    "lastName": "Käufer",
    "address1": "Am Markt 3",
    "city": "Hamburg",
    "countryCode": "DE",
    "zip": "20457",
}


def in_euros(order: dict[str, Any]) -> dict[str, Any]:
    """The same order in the European shop: euros, prices with 19 % tax in them, delivered in Germany."""
    for line in order["lineItems"]:
        gross = Decimal(line["priceSet"]["shopMoney"]["amount"]) * line["quantity"]
        tax = (gross - gross / Decimal("1.19")).quantize(CENT, ROUND_HALF_UP)
        line["priceSet"]["shopMoney"]["currencyCode"] = "EUR"
        line["taxLines"] = [
            {
                "title": "DE MwSt",
                "rate": "0.19",
                "priceSet": {"shopMoney": {"amount": str(tax), "currencyCode": "EUR"}},
            }
        ]
    for shipping in order["shippingLines"]:
        shipping["priceSet"]["shopMoney"]["currencyCode"] = "EUR"
    return {
        **order,
        "currency": "EUR",
        "taxesIncluded": True,
        "shippingAddress": GERMAN_ADDRESS,
        "billingAddress": GERMAN_ADDRESS,
    }
