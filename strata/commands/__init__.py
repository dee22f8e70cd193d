"""One module for each family of commands; strata/cli.py lists them."""
