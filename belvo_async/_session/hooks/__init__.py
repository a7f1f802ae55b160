"""What a vendor keeps of its webhooks, asked and changed by a session."""
