"""How runs stand and how they ended, as texts, and where they are shown."""
