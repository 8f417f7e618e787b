"""The parts of the demo that know no framework: a user, the model's stand-in, and tools that really work."""
