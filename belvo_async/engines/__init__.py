"""Jobs and plans on somebody else's queue: nothing here is imported unless an engine is used."""
