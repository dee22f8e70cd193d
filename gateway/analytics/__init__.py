"""What happened, off the request's own time: access log, metrics, roll-ups."""
