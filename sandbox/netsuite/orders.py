"""Sales orders: checks, totals, taxes, commitment and status, as NetSuite does them when an order is saved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.netsuite.entities import Entities, complete_address
from sandbox.netsuite.errors import bad_reference, bad_value, missing, user_error
from sandbox.netsuite.items import base_price
from sandbox.netsuite.records import Doc, Records, decimal, lines_of, ref_id
from sandbox.netsuite.stock import Stock, is_fulfillable, tidy
from sandbox.netsuite.totals import Extra, FirstLineDiscount, Line, Sums, order_sums, percent_of

PENDING_APPROVAL, PENDING_FULFILLMENT, CANCELLED = "A", "B", "C"
PARTIALLY, PARTIALLY_BILLED, PENDING_BILLING, BILLED, CLOSED = "D", "E", "F", "G", "H"
OPEN = (PENDING_FULFILLMENT, PARTIALLY, PARTIALLY_BILLED)
DO_NOT_COMMIT = "3"
ZERO = Decimal(0)


class Orders:
    """Everything that happens to a sales order between the request and the record."""

    def __init__(self, records: Records, entities: Entities, stock: Stock) -> None:
        self._records = records
        self._entities = entities
        self._stock = stock

    def before_save(self, doc: Doc, before: Doc | None) -> None:
        customer = self._customer(doc, before)
        self._header(doc, before, customer)
        items = self._lines(doc, before)
        self._totals(doc, items)
        if before is not None:
            self.release(before)
        self.settle(doc, items)

    def _customer(self, doc: Doc, before: Doc | None) -> Doc:
        if not doc.get("entity"):
            raise missing("Customer")
        customer = self._records.get("customer", ref_id(doc["entity"]) or "")
        new = before is None or ref_id(before["entity"]) != ref_id(doc["entity"])
        if customer is None or (new and customer.get("isInactive")):
            raise bad_reference(ref_id(doc["entity"]) or "", "entity", "entity")
        return customer

    def _header(self, doc: Doc, before: Doc | None, customer: Doc) -> None:
        now = self._records.now()
        doc.setdefault("subsidiary", customer["subsidiary"])
        subsidiary = ref_id(doc["subsidiary"]) or ""
        if subsidiary not in self._entities.subsidiaries(customer["id"]):
            raise bad_reference(subsidiary, "subsidiary", "subsidiary")
        doc.setdefault("currency", customer["currency"])
        currency = ref_id(doc["currency"]) or ""
        if currency not in [ref_id(line["currency"]) for line in customer["currencyList"]]:
            raise bad_reference(currency, "currency", "currency")
        self._same_subsidiary(doc.get("location"), subsidiary, "location")
        for name in ("terms", "salesRep"):
            if name in customer and before is None:
                doc.setdefault(name, customer[name])
        if customer.get("email") and before is None:
            doc.setdefault("email", customer["email"])
        doc.setdefault("tranDate", now[:10])
        if before is None:
            doc["createdDate"] = now
            doc["source"] = {"id": "restWebServices"}
            number = self._records.next("number:salesOrder", 10001)
            doc.setdefault("tranId", f"SO-{number}")
            doc["transactionNumber"] = f"SALESORD{number}"
            self._default_addresses(doc, customer)
        if doc.get("exchangeRate") is None:
            doc["exchangeRate"] = self._exchange_rate(currency, subsidiary)
        for flag in ("shipComplete", "toBeEmailed", "toBePrinted", "toBeFaxed"):
            doc.setdefault(flag, False)
        for name, text in (("billingAddress", "billAddress"), ("shippingAddress", "shipAddress")):
            address: Doc = doc.get(name) or {}
            complete_address(address)
            if address:
                doc[text] = address["addrText"]
        status = ref_id(doc.get("orderStatus")) or PENDING_FULFILLMENT
        if before is None and status not in (PENDING_APPROVAL, PENDING_FULFILLMENT):
            raise bad_value("orderStatus", "orderStatus")
        doc["orderStatus"] = {"id": status}

    def _default_addresses(self, doc: Doc, customer: Doc) -> None:
        for flag, name in (("defaultBilling", "billingAddress"), ("defaultShipping", "shippingAddress")):
            for line in lines_of(customer, "addressBook"):
                if line.get(flag) and name not in doc and "addressBookAddress" in line:
                    doc[name] = dict(line["addressBookAddress"])

    def _same_subsidiary(self, reference: Any, subsidiary: str, path: str) -> None:
        key = ref_id(reference)
        location = None if key is None else self._records.get("location", key)
        if location is not None and (ref_id(location.get("subsidiary")) != subsidiary or location.get("isInactive")):
            raise bad_reference(key or "", "location", path)

    def _exchange_rate(self, currency: str, subsidiary: str) -> int | Decimal:
        """Units of the subsidiary's base currency per unit of the order's currency."""
        owner = self._records.get("subsidiary", subsidiary) or {}
        base = self._records.get("currency", ref_id(owner.get("currency")) or "")
        own = self._records.get("currency", currency)
        if base is None or own is None or base["id"] == own["id"]:
            return 1
        rate = decimal(own["exchangeRate"]) / decimal(base["exchangeRate"])
        return tidy(rate.quantize(Decimal("0.00000001")).normalize())

    def _lines(self, doc: Doc, before: Doc | None) -> list[tuple[str, Doc]]:
        """Check and complete the lines; answers the item of each."""
        lines: list[Doc] = lines_of(doc, "item")
        if not lines:
            raise user_error("You must enter at least one line item for this transaction.", "item")
        known = {line["lineUniqueKey"] for line in (before or {}).get("item", [])}
        items = [self._item(line, number, known) for number, line in enumerate(lines)]
        highest = max([int(line.get("line") or 0) for line in lines] + [int(doc.get("_lastLine", 0))])
        subsidiary = ref_id(doc["subsidiary"]) or ""
        for number, (line, (kind, item)) in enumerate(zip(lines, items, strict=True)):
            path = f"item.items[{number}]"
            if line.get("line") is None:
                highest += 1
                line["line"] = highest
            line.setdefault("lineUniqueKey", str(self._records.next("lineUniqueKey", 50001)))
            line["itemType"] = item["itemType"]
            line.setdefault("isClosed", False)
            if kind not in ("discountItem",):
                quantity = decimal(line.setdefault("quantity", 1))
                if quantity < 0:
                    raise bad_value("quantity", f"{path}.quantity")
                if doc.get("location"):
                    line.setdefault("location", doc["location"])
                self._same_subsidiary(line.get("location"), subsidiary, f"{path}.location")
            if quantity_done(line) > decimal(line.get("quantity")):
                raise user_error(
                    "You can not decrease the quantity below the quantity already fulfilled.", f"{path}.quantity"
                )
            description = item.get("salesDescription") or item.get("description") or item.get("displayName")
            if description:
                line.setdefault("description", description)
        numbers = [int(line["line"]) for line in lines]
        if len(set(numbers)) != len(numbers):
            raise bad_value("line", "item.items")
        doc["_lastLine"] = highest
        gone = known - {line["lineUniqueKey"] for line in lines}
        fulfilled = [line for line in (before or {}).get("item", []) if quantity_done(line)]
        if any(line["lineUniqueKey"] in gone for line in fulfilled):
            raise user_error("You can not delete a line that has been fulfilled.", "item")
        return items

    def _item(self, line: Doc, number: int, known: set[str]) -> tuple[str, Doc]:
        path = f"item.items[{number}].item"
        key = ref_id(line.get("item"))
        if key is None:
            raise missing("Item")
        found = self._stock.item(key)
        if found is None or found[0] in ("shipItem",):
            raise bad_reference(key, "item", path)
        if found[1].get("isInactive") and line.get("lineUniqueKey") not in known:
            raise bad_reference(key, "item", path)
        return found

    def _tax_rate(self, reference: Any, path: str) -> Decimal | None:
        key = ref_id(reference)
        if key is None:
            return None
        code = self._records.get("salesTaxItem", key)
        if code is None or code.get("isInactive"):
            raise bad_reference(key, path.rpartition(".")[2], path)
        return decimal(code.get("rate"))

    def _totals(self, doc: Doc, items: list[tuple[str, Doc]]) -> None:
        currency = self._records.get("currency", ref_id(doc["currency"]) or "") or {}
        precision = int(currency.get("currencyPrecision", 2))
        lines: list[Doc] = doc["item"]
        inputs = [
            self._input(line, item, doc, f"item.items[{number}]")
            for number, (line, item) in enumerate(zip(lines, items, strict=True))
        ]
        extras: dict[str, Extra] = {}
        for name in ("shipping", "handling"):
            rate = self._tax_rate(doc.get(f"{name}TaxCode"), f"{name}TaxCode")
            extras[name] = Extra(decimal(doc.get(f"{name}Cost")), rate or ZERO)
            if rate is None:
                doc.pop(f"{name}Tax1Rate", None)
            else:
                doc[f"{name}Tax1Rate"] = tidy(rate)
        header = self._records.get("discountItem", ref_id(doc.get("discountItem")) or "") or {}
        rate_text = doc.get("discountRate") or header.get("rate") if header else None
        try:
            sums = order_sums(
                inputs,
                precision,
                shipping=extras["shipping"],
                handling=extras["handling"],
                discount_rate=rate_text,
                discount_before_tax=bool(header.get("isPreTax")),
                gift_applied=self._gifts(doc),
            )
        except FirstLineDiscount as error:
            raise user_error(
                "You cannot apply a discount to this line: it must follow the item it discounts.",
                f"item.items[{error.number}].item",
            ) from error
        if sums.total < 0:
            raise user_error("The total of this transaction can not be less than zero.", "item")
        self._write_totals(doc, inputs, sums, precision)

    def _input(self, line: Doc, item: tuple[str, Doc], doc: Doc, path: str) -> Line:
        kind, record = item
        is_discount = kind == "discountItem"
        rate = line.get("rate")
        if rate is None and line.get("amount") is None and not is_discount:
            rate = base_price(record, ref_id(doc["currency"]) or "", ref_id(line.get("price")) or "1")
            if rate is None:
                raise user_error("Please enter a value for amount.", f"{path}.amount")
            line["rate"] = rate
            line.setdefault("price", {"id": "1"})
        tax_rate = self._tax_rate(line.get("taxCode"), f"{path}.taxCode")
        if tax_rate is None and line.get("taxCode") is None and doc.get("taxItem") and line.get("isTaxable"):
            tax_rate = self._tax_rate(doc["taxItem"], "taxItem")
        if tax_rate is None:
            line.pop("taxRate1", None)
        else:
            line["taxRate1"] = tidy(tax_rate)
        percent: Decimal | None = None
        if is_discount:
            text = record.get("rate")
            percent = percent_of(text)
            if rate is None and percent is None and line.get("amount") is None and text:
                rate = Decimal(text)
        given = line.get("tax1Amt")
        # what was computed at the last save is computed anew; anything else the caller has given
        honoured = given is not None and given != line.get("_taxWas")
        stays = line.get("amount") is not None and line["amount"] != line.get("_amountWas")
        return Line(
            quantity=None if line.get("quantity") is None else decimal(line["quantity"]),
            rate=None if rate is None else decimal(rate),
            amount=decimal(line["amount"]) if stays else None,
            tax_rate=tax_rate or ZERO,
            tax=decimal(given) if honoured else None,
            is_discount=is_discount,
            percent=percent,
        )

    def _gifts(self, doc: Doc) -> Decimal:
        applied = ZERO
        for number, line in enumerate(lines_of(doc, "giftCertRedemption")):
            path = f"giftCertRedemption.items[{number}]"
            card = self._records.get("giftCertificate", ref_id(line.get("authCode")) or "")
            if card is None or card.get("isActive") is False:
                raise bad_reference(ref_id(line.get("authCode")) or "", "authCode", f"{path}.authCode")
            available = decimal(card.get("amountAvailable"))
            amount = decimal(line.get("authCodeApplied", available))
            if amount > available or amount < 0:
                raise bad_value("authCodeApplied", f"{path}.authCodeApplied")
            line["authCodeApplied"] = tidy(amount)
            applied += amount
        return applied

    def _write_totals(self, doc: Doc, inputs: list[Line], sums: Sums, precision: int) -> None:
        rate = decimal(doc["exchangeRate"])
        for line, given, computed in zip(doc["item"], inputs, sums.lines, strict=True):
            for name, was_given, value in (
                ("_amountWas", given.amount is not None, computed.amount),
                ("_taxWas", given.tax is not None, computed.tax),
            ):
                if was_given:
                    line.pop(name, None)
                else:
                    line[name] = value
            line["amount"], line["tax1Amt"], line["grossAmt"] = computed.amount, computed.tax, computed.gross
            line["taxAmount"] = computed.tax
            line["baseAmount"] = (computed.amount * rate).quantize(Decimal(1).scaleb(-2))
            quantity = given.quantity
            if line.get("rate") is None and given.amount is not None and quantity:
                line["rate"] = (given.amount / quantity).quantize(Decimal(1).scaleb(-max(precision, 2) - 6)).normalize()
        doc["subtotal"], doc["discountTotal"] = sums.subtotal, sums.discount_total
        doc["taxTotal"], doc["total"] = sums.tax_total, sums.total
        doc["giftCertApplied"] = sums.gift_applied
        for name, tax in (("shipping", sums.shipping_tax), ("handling", sums.handling_tax)):
            cost = doc.get(f"{name}Cost")
            if cost is not None:
                doc[f"alt{name.title()}Cost"] = cost
                doc[f"{name}TaxAmount"] = tax

    # Commitment and status ------------------------------------------------------------------------------------------

    def release(self, doc: Doc) -> None:
        """Give back what this order has committed and back-ordered, before it is settled anew or removed."""
        for line in doc["item"]:
            found = self._stock.item(ref_id(line["item"]) or "")
            if found is None:
                continue
            place = ref_id(line.get("location"))
            self._stock.commit(*found, place, -decimal(line.get("quantityCommitted")))
            self._stock.back_order(*found, place, -decimal(line.get("quantityBackOrdered")))

    def settle(self, doc: Doc, items: list[tuple[str, Doc]] | None = None) -> None:
        """Commit what is available for what is still open, and set quantities and status."""
        found = items or [self._item(line, n, {line["lineUniqueKey"]}) for n, line in enumerate(doc["item"])]
        approved = ref_id(doc["orderStatus"]) not in (PENDING_APPROVAL, CANCELLED, CLOSED)
        for line, (kind, item) in zip(doc["item"], found, strict=True):
            quantity = decimal(line.get("quantity"))
            done = quantity_done(line)
            waits = is_fulfillable(kind, item) and not line["isClosed"]
            line["_fulfillable"] = is_fulfillable(kind, item)
            wanted = max(quantity - done, ZERO) if waits and approved else ZERO
            place = ref_id(line.get("location"))
            never = ref_id(line.get("commitInventory")) == DO_NOT_COMMIT
            free = ZERO if never else self._stock.available(kind, item, place)
            committed = wanted if free is None else max(min(wanted, free), ZERO)
            self._stock.commit(kind, item, place, committed)
            self._stock.back_order(kind, item, place, wanted - committed)
            for name, value in (
                ("quantityCommitted", committed),
                ("quantityBackOrdered", wanted - committed),
                ("quantityFulfilled", decimal(line.get("quantityFulfilled"))),
                ("quantityBilled", decimal(line.get("quantityBilled"))),
                ("quantityPicked", decimal(line.get("quantityPicked"))),
                ("quantityPacked", decimal(line.get("quantityPacked"))),
            ):
                line[name] = tidy(value)
            if free is not None:
                line["quantityAvailable"] = tidy(free - committed)
            line["itemIsFulfilled"] = not line["_fulfillable"] or decimal(line["quantityFulfilled"]) >= quantity
        doc["status"] = {"id": status_of(doc)}
        doc["orderStatus"] = dict(doc["status"])


def quantity_done(line: Doc) -> Decimal:
    """Pieces that a fulfilment has already taken on: shipped, packed or picked."""
    return decimal(line.get("_onFulfilments"))


def status_of(doc: Doc) -> str:
    """The letter that follows from the lines."""
    given = ref_id(doc["orderStatus"]) or PENDING_FULFILLMENT
    if given in (PENDING_APPROVAL, CANCELLED):
        return given
    waiting = [line for line in doc["item"] if line.get("_fulfillable")]
    open_lines = [line for line in waiting if not line["isClosed"]]
    shipped = any(decimal(line.get("quantityFulfilled")) for line in waiting)
    left = any(decimal(line["quantity"]) > decimal(line.get("quantityFulfilled")) for line in open_lines)
    billed = any(decimal(line.get("quantityBilled")) for line in doc["item"])
    if doc["item"] and all(line["isClosed"] for line in doc["item"]) and not shipped:
        return CLOSED
    if left:
        if not shipped:
            return PENDING_FULFILLMENT
        return PARTIALLY_BILLED if billed else PARTIALLY
    return PENDING_BILLING


def refuse_if_fulfilled(records: Records, doc: Doc) -> None:
    """An order with fulfilments can not be deleted."""
    if records.find("itemFulfillment", "createdFrom", doc["id"]):
        raise user_error("This transaction cannot be deleted because it is linked to by one or more transactions.")
