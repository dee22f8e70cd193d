-- Who is making a customer right now: orders of one buyer, from any shop, make it one after another and under one key.
CREATE TABLE orders.customer_claim (
    erp        text        NOT NULL,
    buyer      text        NOT NULL,  -- e-mail, or our key of the customer where there is none
    key        text        NOT NULL,  -- under which the customer is made, whoever makes it
    claimed_by text        NOT NULL,  -- key of the order
    until      timestamptz NOT NULL,
    PRIMARY KEY (erp, buyer)
);
