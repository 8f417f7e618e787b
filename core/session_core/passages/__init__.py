"""Messages as passages, the smallest parts that are meaningful alone, and what each is worth for a question.

In the order in which one may read it:

- Splitting: `reading` (any message), with `json_passages` (rows of JSON), `records` (rows of anything else) and
  `answer_parts` (prose, code and tables); `named_passages` and `json_named` look into the middle of long messages.
- Worth: `scoring` (for a question), `word_values` (how much a word tells), `telegram` (a sentence without the others).
"""
