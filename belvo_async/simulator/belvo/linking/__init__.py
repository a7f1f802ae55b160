"""Links of the simulated Belvo, and what is needed to make one."""
