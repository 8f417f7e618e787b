"""Where sessions are kept; one backend, one place."""
