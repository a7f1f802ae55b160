"""Other people's clients, unmodified, against the simulators."""
