"""Shopify: a sales channel, over the GraphQL Admin API."""
