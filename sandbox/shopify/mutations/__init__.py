"""What each mutation does, one module per kind of object."""
