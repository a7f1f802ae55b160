"""How changes of Syntage's records are told. Loaded only when they are asked for."""
