"""Compression as pure rules: clips of tool outputs, folds of old turns, and the ladder that plans a view."""
