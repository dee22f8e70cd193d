"""Starts and stops the embedded form: one process tree, with the sandboxes beside it as processes of their own."""
