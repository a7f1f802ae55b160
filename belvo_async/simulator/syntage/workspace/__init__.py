"""What an account sets up: schedulers, labels, reports, authorizations, webhooks; and what it changes of its entities."""
