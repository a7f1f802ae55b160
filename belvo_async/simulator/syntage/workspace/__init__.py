"""What belongs to a workspace beside its data: webhooks and their like."""
