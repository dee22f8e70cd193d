-- The ledger of orders: where each order stands, whatever systems it is in. Written by the steps of order flows only.
CREATE SCHEMA IF NOT EXISTS orders;

CREATE TABLE orders.sales_order (
    key             text        PRIMARY KEY,
    seq             bigint      GENERATED ALWAYS AS IDENTITY,
    shop            text        NOT NULL,
    source_id       text        NOT NULL,
    number          text        NOT NULL DEFAULT '',
    number_plain    text        NOT NULL DEFAULT '',  -- without `#`, lower case: what people search for
    status          text        NOT NULL,
    rank            smallint    NOT NULL,
    received_at     timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    financial_state text        NOT NULL DEFAULT '',
    partner         text        NOT NULL DEFAULT '',
    currency        text        NOT NULL DEFAULT '',
    total           numeric,
    tax             numeric,
    shipping        numeric,
    discounts       numeric,
    customer_name   text        NOT NULL DEFAULT '',
    customer_email  text        NOT NULL DEFAULT '',
    po_number       text        NOT NULL DEFAULT '',
    country         text        NOT NULL DEFAULT '',
    city            text        NOT NULL DEFAULT '',
    held_because    text        NOT NULL DEFAULT '',
    erp             text        NOT NULL DEFAULT '',
    lines           jsonb       NOT NULL DEFAULT '[]',  -- LedgerLine
    sold            jsonb       NOT NULL DEFAULT '[]'   -- SoldLine: the goods as they were written to the ERP
);
CREATE UNIQUE INDEX sales_order_seq ON orders.sales_order (seq);
CREATE INDEX sales_order_number ON orders.sales_order (number_plain);
CREATE INDEX sales_order_source ON orders.sales_order (source_id);
CREATE INDEX sales_order_shop ON orders.sales_order (shop, seq);
CREATE INDEX sales_order_partner ON orders.sales_order (partner, seq) WHERE partner <> '';
CREATE INDEX sales_order_status ON orders.sales_order (status, seq);

CREATE TABLE orders.milestone (
    key    text        NOT NULL REFERENCES orders.sales_order ON DELETE CASCADE,
    status text        NOT NULL,
    at     timestamptz NOT NULL,
    PRIMARY KEY (key, status)
);

CREATE TABLE orders.link (
    key        text NOT NULL REFERENCES orders.sales_order ON DELETE CASCADE,
    connection text NOT NULL,
    vendor     text NOT NULL,
    id         text NOT NULL,
    number     text NOT NULL DEFAULT '',
    PRIMARY KEY (key, connection)
);

CREATE TABLE orders.shipment (
    key              text        NOT NULL REFERENCES orders.sales_order ON DELETE CASCADE,
    connection       text        NOT NULL,
    id               text        NOT NULL,
    version          text        NOT NULL,
    shipped_at       timestamptz NOT NULL,
    carrier          text        NOT NULL DEFAULT '',
    tracking_numbers text[]      NOT NULL DEFAULT '{}',
    tracking_urls    text[]      NOT NULL DEFAULT '{}',
    lines            jsonb       NOT NULL,                -- the channel's order line id -> pieces
    told             text[]      NOT NULL DEFAULT '{}',   -- the channel's fulfilment ids
    PRIMARY KEY (key, connection, id)
);

-- Which version of a shipment a run was started for last, so that a poll's overlap costs one query.
CREATE TABLE orders.seen_shipment (
    connection text        NOT NULL,
    id         text        NOT NULL,
    version    text        NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (connection, id)
);

-- Possible duplicates among customers that a person has to decide about (section 5).
CREATE TABLE orders.customer_review (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_key   text        NOT NULL UNIQUE,
    erp         text        NOT NULL,
    buyer_key   text        NOT NULL,
    customer_id text        NOT NULL,
    reason      text        NOT NULL,
    candidates  jsonb       NOT NULL,
    state       text        NOT NULL DEFAULT 'open',
    at          timestamptz NOT NULL
);
CREATE INDEX customer_review_open ON orders.customer_review (id) WHERE state = 'open';
