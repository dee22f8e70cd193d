"""What every simulated vendor stands on: clock, store, faults, request log, control API, sockets, company data."""
