"""An order in terms of documents, as a trading partner's system takes it: no personal data of the consumer."""

from __future__ import annotations

from strata.contracts.experience.partner import PartnerLine, PartnerOrder, PartnerShipment
from strata.contracts.process.orders import OrderState, StatusShipment


def document(state: OrderState) -> PartnerOrder:
    """An order as an order response and its despatch advices."""
    return PartnerOrder(
        order_id=state.key,
        order_number=state.number,
        status=state.status,
        ordered_at=state.received_at,
        changed_at=state.updated_at,
        lines=lines_of(state),
        purchase_order=state.po_number,
        sales_order_number=next((x.number for x in state.links if x.number and x.number != state.number), ""),
        total=state.total,
        ship_to_country=state.destination_country,
        despatches=tuple(despatch(shipment, state) for shipment in state.shipments),
    )


def lines_of(state: OrderState) -> tuple[PartnerLine, ...]:
    """The order by article: a number that stands on two lines is one line here."""
    ordered: dict[str, int] = {}
    shipped: dict[str, int] = {}
    for line in state.lines:
        ordered[line.sku] = ordered.get(line.sku, 0) + line.quantity
        shipped[line.sku] = shipped.get(line.sku, 0) + line.shipped
    return tuple(PartnerLine(sku, pieces, shipped[sku]) for sku, pieces in ordered.items())


def despatch(shipment: StatusShipment, state: OrderState) -> PartnerShipment:
    """One shipment as a despatch advice."""
    ordered = {line.sku: line.ordered for line in lines_of(state)}
    return PartnerShipment(
        despatch_number=shipment.id,
        despatched_at=shipment.shipped_at,
        lines=tuple(PartnerLine(sku, ordered.get(sku, pieces), pieces) for sku, pieces in shipment.lines.items()),
        carrier=shipment.carrier,
        tracking_numbers=shipment.tracking_numbers,
    )
