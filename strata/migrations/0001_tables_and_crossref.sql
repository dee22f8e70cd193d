CREATE SCHEMA IF NOT EXISTS strata;

-- Versioned data: mappings, routing, filters. A version is never changed, only followed by the next.
CREATE TABLE strata.table_version (
    name    text        NOT NULL,
    version int         NOT NULL,
    rows    jsonb       NOT NULL,
    by_whom text        NOT NULL,
    why     text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);

-- Which record is which, across systems (contract C14).
CREATE TABLE strata.crossref (
    kind    text        NOT NULL,
    source  text        NOT NULL,
    target  text        NOT NULL,
    by_whom text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, source)
);
CREATE INDEX crossref_target ON strata.crossref (kind, target);
