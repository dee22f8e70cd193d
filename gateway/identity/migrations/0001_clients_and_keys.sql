CREATE SCHEMA IF NOT EXISTS gateway;

CREATE TABLE gateway.oauth_clients (
    client_id      text PRIMARY KEY,
    name           text NOT NULL UNIQUE,
    secret_hash    bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    scopes         text[] NOT NULL,
    plan           text NOT NULL,
    partner        text,
    shops          text[] NOT NULL DEFAULT '{}',
    development    boolean NOT NULL DEFAULT false,
    active         boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    last_token_at  timestamptz
);
COMMENT ON COLUMN gateway.oauth_clients.secret_hash IS 'SHA-256 of a secret of 256 random bits';

CREATE TABLE gateway.signing_keys (
    kid         text PRIMARY KEY,
    algorithm   text NOT NULL,
    public_jwk  text NOT NULL,
    private     bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN gateway.signing_keys.private IS 'private JWK, encrypted with STRATA_SECRET_KEY (Fernet)';
