"""The experience API for trading partners."""
