"""The commands about webhooks: where deliveries go, what became of them, and changing the secret."""
