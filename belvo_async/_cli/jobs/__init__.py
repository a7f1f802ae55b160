"""`belvo-async jobs`: what a store knows, and tidying it; without credentials, but for `resume` and `stop`."""
