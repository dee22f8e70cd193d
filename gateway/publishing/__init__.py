"""What is published: contracts as OpenAPI documents plus publications.toml, compiled into one routing table."""
