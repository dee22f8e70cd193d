"""The policies: each one Struct of settings and one `__call__` that wraps the next handler. Their order: chain.py."""
