"""The experience API for web shops."""
