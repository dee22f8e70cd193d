CREATE TABLE gateway.rollups (
    minute        timestamptz NOT NULL,
    api           text NOT NULL,
    operation     text NOT NULL,
    client        text NOT NULL,
    status_class  smallint NOT NULL,
    requests      bigint NOT NULL,
    latency_us    bigint NOT NULL,
    histogram     bigint[] NOT NULL,
    PRIMARY KEY (minute, api, operation, client, status_class)
);
COMMENT ON COLUMN gateway.rollups.histogram IS 'requests per latency bucket; bucket i ends at 100 us * 1.25^i';
