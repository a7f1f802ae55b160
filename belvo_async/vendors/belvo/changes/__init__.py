"""How changes of Belvo's records are told. Loaded only when they are asked for."""
