"""The command `belvo-async demo`: both vendors simulated over real HTTP, from `fire` to the last record."""
