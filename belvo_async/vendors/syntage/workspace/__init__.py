"""What Syntage keeps of an account beside its data."""
