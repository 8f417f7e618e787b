"""Which messages match a question: by their words, by their meaning, by who spoke and when.

- Words: `query_cleanup` (the question), `retrieve` (BM25 over candidates), `lexicon` (over a whole session).
- Meaning: `vectors`, `digest_vectors` (folded messages), `word_pieces` (tokens for the default embedder).
- Author and time: `boosts`.
"""
