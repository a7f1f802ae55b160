"""Parts of a workspace beside its data: webhooks and their like."""
