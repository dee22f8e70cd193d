"""Measurements beside baselines of the same run; `make bench` runs them all."""
