"""The run's decisions as pure values: no clock, no randomness, no I/O; all three come in as arguments."""
