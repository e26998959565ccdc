"""python -m dreamkit app: who may come in, and whose memory is freed."""

import asyncio
import json
import sys

from dreamkit.commands.app import ARRIVING, Visitors, write_notebook


class Kernels:
    """Stands for Jupyter's kernel manager."""

    def __init__(self, connections):
        self.connections = connections

    def list_kernel_ids(self):
        return list(self.connections)

    def kernel_model(self, kernel):
        return {"connections": self.connections[kernel]}

    async def shutdown_kernel(self, kernel, now):
        del self.connections[kernel]


def test_visitors_who_have_left_are_freed_and_those_here_or_arriving_are_not():
    kernels, now = Kernels({"here": 1, "left": 1, "arriving": 0}), [0.0]
    visitors = Visitors(kernels, away=60, clock=lambda: now[0])

    def look(seconds):
        now[0] = seconds
        asyncio.run(visitors.free_abandoned())
        return set(kernels.connections)

    assert look(0) == {"here", "left", "arriving"}
    kernels.connections["left"] = 0
    assert look(59) == {"here", "left", "arriving"}
    assert look(61) == {"here", "arriving"}
    assert look(ARRIVING + 1) == {"here"}
    kernels.connections["here"] = 0  # a moment without a connection
    assert look(ARRIVING + 50) == {"here"}
    kernels.connections["here"] = 1
    assert look(ARRIVING + 500) == {"here"}


def test_a_page_that_anyone_could_reach_needs_a_token(command):
    code, _, err = command("app", "--host", "0.0.0.0", "--token", "")
    assert code == 2
    assert "--token" in err
    assert err.count("\n") == 1


def test_without_voila_one_sentence_says_what_to_install(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "voila.app", None)
    code, _, err = command("app")
    assert code == 2
    assert err == "dreamkit: The app needs Voilà: run `pip install voila`.\n"


def test_the_page_is_a_notebook_of_one_cell_with_the_limits(tmp_path):
    notebook = json.loads(write_notebook(tmp_path, upload=3.0, runs=2).read_text("utf-8"))
    (cell,) = notebook["cells"]
    compile(cell["source"], "page", "exec")
    assert "limit=3.0" in cell["source"]
    assert "runs=2" in cell["source"]
    assert str(tmp_path / "queue") in cell["source"]
