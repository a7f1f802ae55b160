"""Jobs kept on a Redis or Valkey server."""
