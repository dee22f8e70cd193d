"""HTTP at the edge: uvicorn with a protocol class of our own, strict about framing, sizes and time."""
