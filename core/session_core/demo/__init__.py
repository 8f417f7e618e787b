"""The framework-independent parts of the demo: a user, a stand-in for the model, and real tools."""
