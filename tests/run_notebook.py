"""Runs the notebook as a reader does: a real kernel of this interpreter, an empty folder, no way to the network.

`python tests/run_notebook.py` stores the outputs in it, for those who read it on the page of a code host.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "01_tour.ipynb"
NOWHERE = "http://127.0.0.1:9"


class ThisInterpreter(AsyncKernelManager):
    """Starts kernels with the interpreter that runs the tests, whatever kernels are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="tests", language="python")


def ran(home: Path) -> nbformat.NotebookNode:
    """The notebook after all of its cells ran in `home`, with nothing that differs from run to run."""
    env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    env |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    env |= {"IPYTHONDIR": str(home / "ipython"), "MPLCONFIGDIR": str(home / "matplotlib")}
    book = nbformat.read(NOTEBOOK, as_version=4)
    metadata = dict(book.metadata)
    # Over sockets in a folder, with a short path as those need it: ports that are chosen before the kernel starts may
    # be taken when it does.
    with TemporaryDirectory(prefix="kernel-") as folder:
        kernel = ThisInterpreter(transport="ipc", connection_file=f"{folder}/at.json")
        settings = {"timeout": 90, "iopub_timeout": 60, "resources": {"metadata": {"path": str(home)}}}
        NotebookClient(book, km=kernel, record_timing=False, **settings).execute(env=env, cleanup_kc=True)
    book.metadata = metadata
    return book


if __name__ == "__main__":
    with TemporaryDirectory() as home:
        nbformat.write(ran(Path(home)), NOTEBOOK)
