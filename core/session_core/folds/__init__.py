"""When old turns of a session are folded, and by whom: in the call, in a background thread, or by workers.

- One fold: `folding`, with `helper_calls` (models that may never answer).
- In this process: `pipeline`. By workers: `shared_folding`, and `fold_policy` (which requests a worker may take).
"""
