"""The parts of `SessionSaver`: starts and ends of runs, concurrent runs, care of threads, and another saver inside it.

- A run: `prefetch` and `conversation_start` (what it starts with), `concurrency` and `run_ends`, `whole_state` (a run
  that holds the whole record), `graph_checkpoint` (what it stores).
- A saver: `voice`, `lifetime`, `checkpoint_filter` (what a list shows), `maintenance` (copies, pruning, deletion).
- A saver inside it: `inner`, `inner_voice`, `inner_records`, `inner_put`.
"""
