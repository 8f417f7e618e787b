"""Compression as pure rules: clips of tool outputs, folds of old turns, and the ladder that plans a view.

In the order in which one may read it:

- The plan of a view: `ladder` (the steps), `fast_path` (the short way when all fits), `fixed` (system messages, digest,
  additions), `squeeze` (the last rung), `goodbyes` and `insets` (small views with a question).
- Folds: `window` (which turns), `fold` (the digest), `digest_text` (as a message), `plan_cache` (what both and plans
  share), `summary` (its text), `amendments`, `offer_answers` (statements with their corrections and answers).
- A model's summary, checked: `check` with `claims`, `associations`, `negation` and `attribution`; `summary_completion`
  weighs what is left.
- Clips of tool outputs: `clip` (the door), `detect` (what kind of text), then one reader for each kind (`json_shape`,
  `json_rows`, `json_parts`, `json_named`, `json_text`, `tables`, `columns`, `grid`, `logs`, `traces`, `markup`,
  `sources`, `prose`, `arguments`), over `lines`, `pieces`, `relevance` and `losses`.
- Quotes for a question: `passages` (a message in parts, with `json_passages`, `records`, `answer_parts`, `call_echoes`
  and `word_values`), `named_passages` (the middle of long messages), `scoring`, `mentions` and `weights` (what a part
  counts), `weighing` (by who says it), `open_ended` with `outcomes` (where nothing is asked), `evidence` and
  `selection` (what is taken), `telegram` and `blocks` (how it is written), `quote_trimming` (less of it), `refusals`,
  `restatements` and `conflicts` (values that changed or differ).
"""
