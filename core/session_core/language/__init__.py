"""Language rules: sentences, values, cue phrases of rules and decisions, and what supersedes what."""
