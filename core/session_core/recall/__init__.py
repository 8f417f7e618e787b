"""What a view brings back for a question: which passages it quotes, with the corrections and answers that go with them.

In the order in which one may read it:

- Selection: `quotes` (the whole of it), `evidence` (what bears on what comes next), `selection` (best value per token).
- Weight: `mentions` and `weights` (of a value), `weighing` (of a passage), `open_ended` (where nothing is asked).
- What was said later: `amendments` and `corrections`, `restatements`, `conflicts`; `offer_answers` and
  `outcomes` (what was settled).
- Form: `blocks` (the block of quotes), `quote_trimming` (less of it), `call_echoes` (rows without what was asked with),
  `recalling` (results of a search or a reference, in pages).
"""
