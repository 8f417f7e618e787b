"""How the state of a graph is stored: its conversation as part of the record, other message lists and values beside it.

- Names: `threads` (thread, namespace and start of a run, and the notes in its config).
- Values: `channels`, `values`, `message_lists` (lists besides the conversation), `deltas` (DeltaChannels).
- The conversation: `listing` (its list as a part of the record), `view_list` (the list that a run gets),
  `view_expansion` (and back), `originals` (the record as LangChain messages).
- Which message of the record a live one is: `record_numbers`, `imported_numbers`.
- Old checkpoints: `pruning`.
"""
