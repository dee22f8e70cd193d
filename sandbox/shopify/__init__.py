"""Shopify as it speaks on the wire: Admin GraphQL 2026-10, what is left of REST, OAuth, and webhooks."""
