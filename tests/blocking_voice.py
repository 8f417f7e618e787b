"""The blocking voice of `SessionSaver` for LangGraph's official kit, which only awaits."""

from __future__ import annotations

from langchain_session import SessionSaver

BASE = ("put", "put_writes", "get_tuple", "list", "delete_thread")
ALL = (*BASE, "delete_for_runs", "copy_thread", "prune")


class BlockingVoice(SessionSaver):
    """The blocking voice under the awaiting names, so that the official kit tests it too."""

    async def aget_tuple(self, config):
        return self.get_tuple(config)

    async def alist(self, config, *, filter=None, before=None, limit=None):  # noqa: A002
        for found in self.list(config, filter=filter, before=before, limit=limit):
            yield found

    async def aput(self, config, checkpoint, metadata, new_versions):
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(self, config, writes, task_id, task_path=""):
        return self.put_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id):
        return self.delete_thread(thread_id)

    async def adelete_for_runs(self, run_ids):
        self.delete_for_runs(run_ids)

    async def acopy_thread(self, source_thread_id, target_thread_id):
        self.copy_thread(source_thread_id, target_thread_id)

    async def aprune(self, thread_ids, *, strategy="keep_latest"):
        self.prune(thread_ids, strategy=strategy)

    async def aget_delta_channel_history(self, *, config, channels):
        return self.get_delta_channel_history(config=config, channels=channels)
