"""Customers (capability `customers`)."""

from __future__ import annotations

from strata.canonical.customers import CustomerDraft, CustomerMatch
from strata.contracts.system import Customers
from strata.errors import Conflict, FieldError, Invalid, NotFound
from system_apis.netsuite import mapping, suiteql, wire
from system_apis.netsuite.client import NetSuiteClient
from system_apis.netsuite.currencies import Currencies

_MOST = 25
_FIND = (
    "SELECT c.id, c.externalid, c.entityid, c.companyname, c.firstname, c.lastname, c.email, c.isinactive, c.currency,"
    " TO_CHAR(c.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS changed, r.subsidiary"
    " FROM customer c LEFT JOIN customersubsidiaryrelationship r ON r.entity = c.id"
)
_BY_KEY = _FIND + " WHERE c.externalid = {key} ORDER BY c.id, r.subsidiary"
_BY_EMAIL = _FIND + " WHERE LOWER(c.email) = LOWER({email}) ORDER BY c.id, r.subsidiary"
_BY_EITHER = _FIND + " WHERE c.externalid = {key} OR LOWER(c.email) = LOWER({email}) ORDER BY c.id, r.subsidiary"
_SUBSIDIARIES = "SELECT subsidiary FROM customersubsidiaryrelationship WHERE entity = {id} ORDER BY subsidiary"


class NetSuiteCustomers(Customers):
    """Serves the contract for one account."""

    def __init__(self, client: NetSuiteClient, currencies: Currencies, names: mapping.Names) -> None:
        self._client = client
        self._currencies = currencies
        self._names = names

    async def get_customer(self, customer_id: str) -> CustomerMatch:
        if not customer_id.isascii() or not customer_id.isdigit():
            raise NotFound(f"{self._client.name} has no customer {customer_id[:40]!r}")
        record = await self._client.get("customer", customer_id, wire.CustomerRecord, expand=True)
        sql = suiteql.fill(_SUBSIDIARIES, id=suiteql.number(customer_id))
        rows = await self._client.query(sql, wire.SubsidiaryRow)
        return mapping.customer(record, [row.subsidiary for row in rows], await self._currencies.iso(), self._names)

    async def find_customers(self, *, key: str = "", email: str = "") -> tuple[CustomerMatch, ...]:
        if key and email.strip():
            sql = suiteql.fill(_BY_EITHER, key=suiteql.text(key), email=suiteql.text(email.strip()))
        elif key:
            sql = suiteql.fill(_BY_KEY, key=suiteql.text(key))
        elif email.strip():
            sql = suiteql.fill(_BY_EMAIL, email=suiteql.text(email.strip()))
        else:
            return ()
        rows = await self._client.query(sql, wire.CustomerRow)
        return mapping.customers(rows, await self._currencies.iso(), self._names)[:_MOST]

    async def put_customer(self, key: str, *, body: CustomerDraft, look_first: bool = False) -> CustomerMatch:
        if body.key != key:
            raise Invalid("The key in the path is not the draft's", errors=(FieldError("differs", "/key", key),))
        if look_first:
            there = await self.find_customers(key=key)
            if there:
                return there[0]
        record = mapping.new_customer(body, await self._currencies.id_of(body.currency))
        what = f"NetSuite does not take customer {key}"
        try:
            written = await self._client.put("customer", key, record, replace="addressBook,currencyList", what=what)
        except Conflict:
            there = await self.find_customers(key=key)
            if not there:
                raise
            return there[0]
        return mapping.drafted(body, written.id, self._names)

    async def allow_trading(self, customer_id: str, *, selling_entity: str, currency: str) -> CustomerMatch:
        customer = await self.get_customer(customer_id)
        if selling_entity not in customer.selling_entities:
            await self._relate(customer_id, selling_entity)
        if currency not in customer.currencies:
            line = wire.NewCurrencyLine(currency=wire.Ref(await self._currencies.id_of(currency)))
            more = wire.MoreCurrencies(currency_list=wire.Lines((line,)))
            what = f"NetSuite does not let customer {customer_id} buy in {currency}"
            await self._client.patch("customer", customer_id, more, what=what)
        if selling_entity in customer.selling_entities and currency in customer.currencies:
            return customer
        return await self.get_customer(customer_id)

    async def _relate(self, customer_id: str, subsidiary: str) -> None:
        relation = wire.NewRelationship(entity=wire.Ref(customer_id), subsidiary=wire.Ref(subsidiary))
        what = f"NetSuite does not let subsidiary {subsidiary} sell to customer {customer_id}"
        try:
            await self._client.post("customerSubsidiaryRelationship", relation, what=what)
        except Conflict:
            return  # somebody else was faster
