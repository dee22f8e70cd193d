"""The experience API for mobile apps."""
