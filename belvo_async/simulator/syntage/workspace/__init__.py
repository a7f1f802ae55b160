"""What an account sets up: schedulers, labels, reports, authorizations, webhooks; what it changes of its entities."""
