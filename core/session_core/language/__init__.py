"""Reading what people say: sentences, values, cues of rules and decisions, what replaces what."""
