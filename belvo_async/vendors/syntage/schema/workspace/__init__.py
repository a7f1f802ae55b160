"""What an account sets up at Syntage: schedulers, labels, reports, entities, authorizations, webhooks."""
