"""Cue phrases in languages other than English, one file per language."""
