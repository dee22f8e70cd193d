"""An order from OrderCreateOrderInput: pure but for ids and look-ups, which come in.

Texts of errors follow the REST API's for the same faults where no GraphQL one is documented (unverified).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.shopify import totals
from sandbox.shopify.errors import UserErrors
from sandbox.shopify.gid import number as gid_number
from sandbox.shopify.model import Application, Line, Pair, ShippingLine, Tax, Variant
from sandbox.shopify.money import ZERO, Bag, rounded

Input = Mapping[str, Any]
Error = tuple[list[str] | None, str, str | None]
GRAMS = {
    "GRAMS": Decimal(1),
    "KILOGRAMS": Decimal(1000),
    "OUNCES": Decimal("28.349523125"),
    "POUNDS": Decimal("453.59237"),
}


def _properties(given: Sequence[Input]) -> list[Pair]:
    return [Pair(p["name"], p["value"]) for p in given]


class OrderReader:
    """Reads the lines, shipping, discount and taxes of one order input, gathering all errors before any is raised.

    convert: factor from the order's shop currency to its presentment currency, used where only shop money is given.
    """

    def __init__(
        self,
        given: Input,
        *,
        currency: str,
        presentment: str,
        convert: Decimal,
        variant: Callable[[int], Variant | None],
        new_id: Callable[[str], int],
    ) -> None:
        self.given = given
        self.currency = currency
        self.presentment = presentment
        self.convert = convert
        self.find_variant = variant
        self.new_id = new_id
        self.included = bool(given.get("taxesIncluded"))
        self.errors: list[Error] = []
        self.zero = Bag(ZERO, ZERO, currency, presentment)

    def fail(self, path: Sequence[str | int], message: str, code: str | None = "INVALID") -> None:
        self.errors.append((["order", *map(str, path)], message, code))

    def bag(self, given: Input, path: Sequence[str | int], *, factor_for: Variant | None = None) -> Bag:
        """A MoneyBagInput in the order's two currencies."""
        shop, presentment = given["shopMoney"], given.get("presentmentMoney")
        if shop["currencyCode"] != self.currency:
            self.fail([*path, "shopMoney"], f"Currency must be {self.currency}")
        if presentment is not None and presentment["currencyCode"] != self.presentment:
            self.fail([*path, "presentmentMoney"], f"Currency must be {self.presentment}")
        amount = rounded(shop["amount"], self.currency)
        if presentment is not None:
            other = rounded(presentment["amount"], self.presentment)
        elif self.presentment == self.currency:
            other = amount
        else:
            other = rounded(amount * self.convert, self.presentment)
        return Bag(amount, other, self.currency, self.presentment)

    def of_variant(self, variant: Variant) -> Bag:
        """A variant's price: its own in each currency where it has one."""
        shop = rounded(variant.prices.get(self.currency, variant.price), self.currency)
        fallback = shop if self.presentment == self.currency else shop * self.convert
        return Bag(
            shop,
            rounded(variant.prices.get(self.presentment, fallback), self.presentment),
            self.currency,
            self.presentment,
        )

    def lines(self) -> list[Line]:
        given: Sequence[Input] = self.given.get("lineItems") or []
        if not given:
            self.fail(["lineItems"], "Line items must have at least one line item")
        return [self._line(line, index) for index, line in enumerate(given)]

    def _line(self, given: Input, index: int) -> Line:
        path = ["lineItems", index]
        variant = self._variant(given, path)
        quantity: int = given["quantity"]
        if quantity < 1:
            self.fail([*path, "quantity"], "Quantity must be greater than 0")
        title = given.get("title") or (variant.product_title if variant else None)
        if not title:
            self.fail([*path, "title"], "Title can't be blank", "INVALID")
        if given.get("priceSet") is not None:
            price = self.bag(given["priceSet"], [*path, "priceSet"])
        elif variant is not None:
            price = self.of_variant(variant)
        else:
            self.fail([*path, "priceSet"], "Price can't be blank")
            price = self.zero
        if price.shop < ZERO:
            self.fail([*path, "priceSet"], "Price must be greater than or equal to 0")
        gift_card = bool(given.get("giftCard")) or (variant is not None and variant.gift_card)
        weight = given.get("weight")
        grams = variant.grams if variant else 0
        if weight is not None:
            grams = int(Decimal(str(weight["value"])) * GRAMS[weight["unit"]])
        variant_title = given.get("variantTitle") or (variant.title if variant else None)
        return Line(
            id=self.new_id("LineItem"),
            title=title or "",
            quantity=quantity,
            current_quantity=quantity,
            fulfillable_quantity=quantity,
            price=price,
            requires_shipping=bool(given.get("requiresShipping"))
            or (variant is not None and variant.requires_shipping),
            taxable=bool(given.get("taxable", True)) and not gift_card,
            gift_card=gift_card,
            grams=grams,
            variant_id=variant.id if variant else None,
            product_id=variant.product_id if variant else None,
            sku=given.get("sku") or (variant.sku if variant else None),
            variant_title=None if variant_title == "Default Title" else variant_title,
            vendor=given.get("vendor") or (variant.vendor if variant else None),
            fulfillment_service=given.get("fulfillmentService") or "manual",
            properties=_properties(given.get("properties") or []),
        )

    def _variant(self, given: Input, path: Sequence[str | int]) -> Variant | None:
        if given.get("variantId") is None:
            return None
        digits = gid_number(given["variantId"], "ProductVariant")
        variant = None if digits is None else self.find_variant(digits)
        if variant is None:
            self.fail([*path, "variantId"], "Variant does not exist")
        return variant

    def shipping(self) -> list[ShippingLine]:
        return [
            ShippingLine(
                id=self.new_id("ShippingLine"),
                title=line["title"],
                price=self.bag(line["priceSet"], ["shippingLines", index, "priceSet"]),
                code=line.get("code") or line["title"],
                source=line.get("source"),
            )
            for index, line in enumerate(self.given.get("shippingLines") or [])
        ]

    def discounts(self, lines: Sequence[Line], shipping: Sequence[ShippingLine]) -> list[Application]:
        """The order's one discount code, shared over its targets."""
        given: Input = self.given.get("discountCode") or {}
        kinds = [(name, value) for name, value in given.items() if value is not None]
        if not kinds:
            return []
        if len(kinds) > 1:
            self.fail(["discountCode"], "Only one type of discount code can be specified")
            return []
        name, value = kinds[0]
        if name == "freeShippingDiscountCode":
            application = Application(value["code"], "percentage", Decimal(100), "shipping_line", self.zero)
        elif name == "itemPercentageDiscountCode":
            percentage = Decimal(str(value["percentage"]))
            if not ZERO <= percentage <= totals.HUNDRED:
                self.fail(["discountCode", name, "percentage"], "Percentage must be between 0 and 100")
            application = Application(value["code"], "percentage", percentage, "line_item", self.zero)
        else:
            amount = self.bag(value["amountSet"], ["discountCode", name, "amountSet"])
            if amount.shop < ZERO:
                self.fail(["discountCode", name, "amountSet"], "Amount must be greater than or equal to 0")
            application = Application(value["code"], "fixed_amount", amount.shop, "line_item", amount)
        totals.apply_discount(application, 0, lines, shipping)
        return [application]

    def taxes(self, lines: Sequence[Line], shipping: Sequence[ShippingLine]) -> list[Tax]:
        """Tax lines of lines and shipping, or of the order shared over its taxable lines; not both."""
        of_order: Sequence[Input] = self.given.get("taxLines") or []
        of_lines: Sequence[Input] = [*(self.given.get("lineItems") or [])]
        if of_order and any(line.get("taxLines") for line in of_lines):
            self.fail(["taxLines"], "Tax lines must be specified on either the order or the line items, but not both")
            return []
        for index, (line, given) in enumerate(zip(lines, of_lines, strict=True)):
            base = line.original_total - line.discount
            line.taxes = self._tax_lines(given.get("taxLines"), base, ["lineItems", index, "taxLines"])
        for index, (ship, given) in enumerate(zip(shipping, self.given.get("shippingLines") or [], strict=True)):
            base = ship.price - ship.discount
            ship.taxes = self._tax_lines(given.get("taxLines"), base, ["shippingLines", index, "taxLines"])
        if of_order:
            taxable = totals.sums(
                [line for line in lines if line.taxable], [], [], self.zero, included=self.included
            ).subtotal  # fmt: skip
            spread = self._tax_lines(of_order, taxable, ["taxLines"])
            if taxable.is_zero():
                # nothing to spread over: the tax stays on the order, as given
                return [*spread, *totals.gathered_taxes(lines, shipping)]
            totals.spread_taxes(spread, lines)
        return totals.gathered_taxes(lines, shipping)

    def _tax_lines(self, given: Sequence[Input] | None, base: Bag, path: Sequence[str | int]) -> list[Tax]:
        found: list[Tax] = []
        for index, tax in enumerate(given or []):
            rate: Decimal = tax["rate"]
            if tax.get("priceSet") is not None:
                price = self.bag(tax["priceSet"], [*path, index, "priceSet"])
            else:
                price = totals.tax_amount(base, rate, included=self.included)
            found.append(Tax(tax["title"], rate, price, tax.get("channelLiable")))
        return found

    def check(self) -> None:
        """Raises UserErrors with everything found so far."""
        if self.errors:
            raise UserErrors(*self.errors)
