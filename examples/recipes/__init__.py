"""Other engines, each in one small program: fire, and collect what ended."""
