"""Clients, signing keys, tokens and the token endpoint (OAuth 2.0 client credentials, RFC 6749 and RFC 9068)."""
