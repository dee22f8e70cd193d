"""Every GraphQL document that is sent, as a constant: values travel as variables only, never inside the text.

Page sizes keep each document under the 1,000 points that one query may cost. Checked against the 2026-10 schema by a
test.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

from system_apis.exchange import Effect
from system_apis.shopify import wire

T = TypeVar("T")


class Document(Struct, Generic[T], frozen=True):
    """A document and what its `data` decodes to."""

    name: str
    text: str
    data: type[T]
    effect: Effect = "read"


_MONEY = "fragment Money on MoneyBag { presentmentMoney { amount currencyCode } }"
_ADDRESS = """fragment Address on MailingAddress {
  firstName lastName company address1 address2 city provinceCode zip countryCodeV2 phone
}"""
_TAX = "fragment Tax on TaxLine { title rate priceSet { ...Money } }"
_DISCOUNT = """fragment Discount on DiscountAllocation {
  allocatedAmountSet { ...Money }
  discountApplication {
    ... on DiscountCodeApplication { code }
    ... on ManualDiscountApplication { title }
    ... on AutomaticDiscountApplication { title }
    ... on ScriptDiscountApplication { title }
  }
}"""
_LINES = """fragment Lines on LineItemConnection {
  pageInfo { hasNextPage endCursor }
  nodes {
    id title variantTitle sku quantity currentQuantity taxable requiresShipping isGiftCard
    originalUnitPriceSet { ...Money }
    customAttributes { key value }
    discountAllocations { ...Discount }
    taxLines { ...Tax }
  }
}"""
_SHIPPING = """fragment Shipping on ShippingLine {
  title code isRemoved originalPriceSet { ...Money } discountAllocations { ...Discount } taxLines { ...Tax }
}"""

ORDER = Document(
    "order",
    "\n".join(
        (
            """query order($id: ID!) {
  order(id: $id) {
    id name createdAt updatedAt cancelledAt currencyCode presentmentCurrencyCode
    displayFinancialStatus displayFulfillmentStatus taxesIncluded test email phone note poNumber sourceName tags
    discountCodes customAttributes { key value }
    subtotalPriceSet { ...Money }
    totalDiscountsSet { ...Money }
    totalShippingPriceSet { ...Money }
    totalTaxSet { ...Money }
    totalPriceSet { ...Money }
    currentSubtotalPriceSet { ...Money }
    currentTotalDiscountsSet { ...Money }
    currentTotalTaxSet { ...Money }
    currentTotalPriceSet { ...Money }
    risk { recommendation }
    customer {
      id firstName lastName taxExempt defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber }
      erpCustomerId: metafield(namespace: "strata", key: "erp_customer_id") { value }
    }
    purchasingEntity { __typename ... on PurchasingCompany { company { name } } }
    billingAddress { ...Address }
    shippingAddress { ...Address }
    shippingLines(first: 10) { nodes { ...Shipping } }
    transactions(first: 30) { id kind status gateway amountSet { ...Money } }
    erpOrderId: metafield(namespace: "strata", key: "erp_order_id") { value }
    erpOrderNumber: metafield(namespace: "strata", key: "erp_order_number") { value }
    lineItems(first: 20) { ...Lines }
  }
}""",
            _LINES,
            _SHIPPING,
            _DISCOUNT,
            _TAX,
            _ADDRESS,
            _MONEY,
        )
    ),
    wire.OrderData,
)

ORDER_LINES = Document(
    "orderLines",
    "\n".join(
        (
            """query orderLines($id: ID!, $after: String) {
  order(id: $id) { updatedAt lineItems(first: 60, after: $after) { ...Lines } }
}""",
            _LINES,
            _DISCOUNT,
            _TAX,
            _MONEY,
        )
    ),
    wire.OrderLinesData,
)

ORDER_HEADS = Document(
    "orders",
    """query orders($first: Int!, $after: String, $query: String!) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id name updatedAt erpOrderId: metafield(namespace: "strata", key: "erp_order_id") { value } }
  }
}""",
    wire.OrderHeadsData,
)

LINK_ORDER = Document(
    "linkOrder",
    """mutation linkOrder($id: ID!, $metafields: [MetafieldsSetInput!]!, $tags: [String!]!) {
  metafieldsSet(metafields: $metafields) { userErrors { field message code } }
  tagsAdd(id: $id, tags: $tags) { userErrors { field message } }
}""",
    wire.LinkOrderData,
    "write",
)

LINK_CUSTOMER = Document(
    "linkCustomer",
    """mutation linkCustomer($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) { userErrors { field message code } }
}""",
    wire.LinkCustomerData,
    "write",
)

_OPEN_LINES = """fragment OpenLines on FulfillmentOrderLineItemConnection {
  pageInfo { hasNextPage endCursor } nodes { id sku remainingQuantity lineItem { id } }
}"""
_SHIPPED_LINES = """fragment ShippedLines on FulfillmentLineItemConnection {
  pageInfo { hasNextPage endCursor } nodes { quantity lineItem { id } }
}"""

FULFILMENT_ORDERS = Document(
    "fulfillmentOrders",
    """query fulfillmentOrders($id: ID!, $after: String) {
  order(id: $id) {
    fulfillmentOrders(first: 5, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id status assignedLocation { location { id } } lineItems(first: 20) { ...OpenLines } }
    }
  }
}
"""
    + _OPEN_LINES,
    wire.OpenOrderData,
)

FULFILMENT_ORDER_LINES = Document(
    "fulfillmentOrderLines",
    """query fulfillmentOrderLines($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) { lineItems(first: 200, after: $after) { ...OpenLines } }
}
"""
    + _OPEN_LINES,
    wire.FulfillmentOrderLinesData,
)

FULFILMENTS = Document(
    "fulfillments",
    """query fulfillments($id: ID!, $first: Int!, $lines: Int!) {
  order(id: $id) {
    fulfillments(first: $first) {
      id status createdAt trackingInfo { company number url } fulfillmentLineItems(first: $lines) { ...ShippedLines }
    }
  }
}
"""
    + _SHIPPED_LINES,
    wire.ShippedOrderData,
)

FULFILMENT_LINES = Document(
    "fulfillmentLines",
    """query fulfillmentLines($id: ID!, $after: String) {
  fulfillment(id: $id) { fulfillmentLineItems(first: 200, after: $after) { ...ShippedLines } }
}
"""
    + _SHIPPED_LINES,
    wire.FulfillmentLinesData,
)

FULFILMENT_CREATE = Document(
    "fulfillmentCreate",
    """mutation fulfillmentCreate($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } }
}""",
    wire.FulfillmentCreateData,
    "write",
)

TRACKING_UPDATE = Document(
    "fulfillmentTrackingInfoUpdate",
    """mutation trackingUpdate($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notify) {
    fulfillment { id } userErrors { field message }
  }
}""",
    wire.TrackingUpdateData,
    "write",
)

SHOP = Document("shop", "query shop { shop { name } }", wire.ShopData)

WEBHOOK_SUBSCRIPTIONS = Document(
    "webhookSubscriptions",
    """query webhookSubscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { id topic uri } }
}""",
    wire.WebhookSubscriptionsData,
)

WEBHOOK_SUBSCRIPTION_CREATE = Document(
    "webhookSubscriptionCreate",
    """mutation webhookSubscriptionCreate($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) { userErrors { field message } }
}""",
    wire.WebhookSubscriptionCreateData,
    "write",
)

ALL: tuple[Document[Struct], ...] = (  # pyright: ignore[reportAssignmentType]  # covariant in what it decodes to
    ORDER, ORDER_LINES, ORDER_HEADS, LINK_ORDER, LINK_CUSTOMER, FULFILMENT_ORDERS, FULFILMENT_ORDER_LINES, FULFILMENTS,
    FULFILMENT_LINES, FULFILMENT_CREATE, TRACKING_UPDATE, SHOP, WEBHOOK_SUBSCRIPTIONS, WEBHOOK_SUBSCRIPTION_CREATE,
)  # fmt: skip
