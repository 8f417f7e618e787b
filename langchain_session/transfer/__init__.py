"""Moves threads and chat histories from and to other libraries: whole, and only what is new when it is repeated.

- Threads: `import_export`, with `saver_voice` (any checkpointer, in one voice), `checkpoint_place`, `channel_versions`
  and `redis_checkpoints`.
- Chat histories: `history_transfer` and `redis_history`.
"""
