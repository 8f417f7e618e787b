"""Checks what a model wrote about messages against these messages, and strikes what they do not say.

- A summary: `check`, over `claims` (which values and names occur together), `associations`, `negation`, `attribution`.
- Judgements and facts of other helpers: `grounding`.
"""
