"""Create, change, delete and transform records: what the record API and the warehouse clerk's control both use."""

from __future__ import annotations

from typing import Any

from sandbox.netsuite.entities import Entities
from sandbox.netsuite.errors import bad_value, duplicate, no_instance, no_type, user_error, wrong_transaction_type
from sandbox.netsuite.fulfilments import Fulfilments
from sandbox.netsuite.items import Items
from sandbox.netsuite.orders import Orders, refuse_if_fulfilled
from sandbox.netsuite.records import Doc, Records, is_object, ref_id
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.stock import Stock
from sandbox.netsuite.types import ITEM_NAMES, TRANSACTION_NAMES, TYPES, record_type
from sandbox.netsuite.writing import How, Writer

ENTITY_KINDS = ("customer", "contact", "employee", "customerSubsidiaryRelationship")
TRANSFORMS = {"salesOrder": ("itemFulfillment",)}
PLAIN = How()


class Service:
    """One account's records and the rules between them."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.writer = Writer(records)
        self.stock = Stock(records)
        self.entities = Entities(records)
        self.items = Items(records)
        self.orders = Orders(records, self.entities, self.stock)
        self.fulfilments = Fulfilments(records, self.orders, self.stock)

    def type_named(self, name: str) -> RecordType:
        record = record_type(name)
        if record is None:
            raise no_type(name)
        return record

    def load(self, record: RecordType, key: str) -> Doc:
        """The record by internal id or `eid:`. Raises NsError as NetSuite words it."""
        if key.lower().startswith("eid:"):
            doc = self.records.by_external_id(record.name, key[4:])
        else:
            doc = self.records.get(record.name, key)
        if doc is None:
            if record.space == "transaction" and self.records.resolve(TRANSACTION_NAMES, key) is not None:
                raise wrong_transaction_type()
            raise no_instance()
        return doc

    def create(self, record: RecordType, body: Any, how: How = PLAIN, *, external_id: str | None = None) -> str:
        """A new record; answers its internal id."""
        self._writable(record)
        doc: Doc = {}
        if record.name == "itemFulfillment":
            reference: Doc = {}
            self.writer.merge(record.fields, _only(body, "createdFrom"), reference, how)
            order = self.records.get("salesOrder", ref_id(reference.get("createdFrom")) or "")
            if order is not None:
                return self.transform("salesOrder", order, record.name, body, how, external_id=external_id)
        self.writer.merge(record.fields, body, doc, how)
        return self._save(record, doc, None, external_id)

    def update(
        self,
        record: RecordType,
        before: Doc,
        body: Any,
        how: How = PLAIN,
        *,
        external_id: str | None = None,
        clear: frozenset[str] = frozenset(),
    ) -> str:
        """Merge into an existing record. clear: body fields, lower case, that go unless the body has them."""
        self._writable(record)
        # decoded afresh, so that the two share nothing
        doc = self.records.get(record.name, before["id"]) or {}
        if clear and is_object(body):
            given = {str(name).lower() for name in body}
            for field in record.fields:
                if field.name.lower() in clear - given and field.kind != "sublist" and not field.readonly:
                    doc.pop(field.name, None)
        self.writer.merge(record.fields, body, doc, how)
        return self._save(record, doc, before, external_id)

    def delete(self, record: RecordType, doc: Doc) -> None:
        self._writable(record)
        if record.name == "salesOrder":
            refuse_if_fulfilled(self.records, doc)
            self.orders.release(doc)
        elif record.name == "itemFulfillment":
            self.fulfilments.before_delete(doc)
        elif self._is_used(record, doc):
            raise user_error("This record cannot be deleted because it has dependent records.")
        if record.name == "customer":
            for relation in self.records.find("customerSubsidiaryRelationship", "entity", doc["id"]):
                self.records.remove("customerSubsidiaryRelationship", relation)
        self.records.remove(record.name, doc)

    def transform(
        self, kind: str, source: Doc, target: str, body: Any, how: How = PLAIN, *, external_id: str | None = None
    ) -> str:
        """`!transform`: a new record of the target type, made from this one, with the body's changes."""
        if target not in TRANSFORMS.get(kind, ()):
            raise user_error(f"The {kind} record can not be transformed to {target}.")
        record = TYPES[target]
        doc = self.fulfilments.start(source, body, how)
        # the lines offered are there already, so the body's merge into them by their order line
        merging = How(how.replace - {"item"}, how.names, how.values)
        self.writer.merge(record.fields, body, doc, merging)
        return self._save(record, doc, None, external_id)

    def attach(self, kind: str, doc: Doc, contact: Doc, *, detach: bool) -> None:
        """`!attach` and `!detach` of a contact to a customer."""
        if kind != "customer":
            raise user_error(f"Contacts can not be attached to a {kind} record.")
        body: Doc = {"company": None if detach else {"id": doc["id"]}}
        self.update(TYPES["contact"], contact, body)

    def _writable(self, record: RecordType) -> None:
        if not record.settable:
            raise user_error(f"The sandbox lets {record.name} records only be read.")

    def _save(self, record: RecordType, doc: Doc, before: Doc | None, external_id: str | None) -> str:
        if external_id is not None:
            doc["externalId"] = external_id
        if before is None:
            doc["id"] = ""
        external = doc.get("externalId")
        if external:
            other = self.records.by_external_id(record.name, str(external))
            if other is not None and other["id"] != doc["id"]:
                raise duplicate()
        self._before_save(record.name, doc, before)
        if before is None:
            doc["id"] = self.records.new_id(record)
        doc["lastModifiedDate"] = self.records.now()
        self.records.put(record.name, doc, before)
        if record.name == "customer":
            self.entities.after_save(record.name, doc, before)
        return doc["id"]

    def _before_save(self, kind: str, doc: Doc, before: Doc | None) -> None:
        if kind == "salesOrder":
            self.orders.before_save(doc, before)
        elif kind == "itemFulfillment":
            self.fulfilments.before_save(doc, before)
        elif kind in ENTITY_KINDS:
            self.entities.before_save(kind, doc, before)
        elif kind in ITEM_NAMES:
            self.items.before_save(kind, doc, before)
        else:
            self.items.before_save_list(kind, doc, before)

    def _is_used(self, record: RecordType, doc: Doc) -> bool:
        """Whether a transaction refers to this entity, item or list entry."""
        sql = "SELECT 1 FROM ns_uses WHERE space=? AND target=? LIMIT 1"
        return self.records.store.db.execute(sql, (record.space, doc["id"])).fetchone() is not None


def _only(body: Any, name: str) -> Doc:
    """The body with this member alone."""
    if not is_object(body):
        raise bad_value(name, name)
    given: Doc = body
    return {key: value for key, value in given.items() if key.lower() == name.lower()}
