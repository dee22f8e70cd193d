"""What each GraphQL field is, as tables: type -> field -> function of (source, context, arguments)."""
