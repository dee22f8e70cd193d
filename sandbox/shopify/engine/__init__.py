"""Runs GraphQL documents as graphql-ruby at the vendor would: its texts, its cost rules, its envelope."""
