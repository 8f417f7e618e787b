"""Views within a budget, as pure rules: old turns folded into a digest, and the steps by which the rest is made to fit.

In the order in which one may read it:

- The plan of a view: `ladder` (the steps), `fast_path` (the short way when all fits), `fixed` (system messages, digest,
  additions), `squeeze` (the last rung), `goodbyes` and `insets` (small views with a question).
- Folds: `fold` (which turns, and the digest), `summary` (its text), `summary_completion` (what a model's summary
  lacks), `digest_text` (the digest as a message).
- Shared by both: `plan_cache` (counters, limits, and caches of digests and plans).
"""
