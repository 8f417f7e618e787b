"""What the rest asks of the process: work off the event loop, batches of simultaneous calls, safe forks, unique ids.

Modules: `offload`, `batching`, `forks`, `process_bound` (what a child of a fork must not use), `ids`.
"""
