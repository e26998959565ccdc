"""A real Dask cluster on this machine, each part a process of its own that a test may kill."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parents[1]


def start_process(*arguments, path=()):
    """Start a process of the cluster, its log thrown away; `path` is searched for modules first."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, [*path, ROOT, TESTS])),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        env=environment,
        cwd=next(iter(path), None),  # which Python searches before all else
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class Cluster:
    """A scheduler on loopback and its workers, killed at the end of a `with` block.

    `path` is where they look for modules first.
    """

    def __init__(self, folder, workers, threads=1, path=()):
        self.contact, self.threads = folder / "scheduler.json", threads
        options = ("--host", "127.0.0.1", "--port", 0, "--no-dashboard")
        self.scheduler = start_process(
            *("distributed.cli.dask_scheduler", *options, "--scheduler-file", self.contact),
            path=path,
        )
        self.workers = []
        for _ in range(workers):
            self.add_worker(*path)

    def add_worker(self, *path):
        options = ("--no-nanny", "--nthreads", self.threads, "--no-dashboard", "--scheduler-file")
        worker = start_process("distributed.cli.dask_worker", *options, self.contact, path=path)
        self.workers.append(worker)

    @property
    def address(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.contact.exists() and (text := self.contact.read_text()):
                return json.loads(text)["address"]
            time.sleep(0.05)
        raise TimeoutError("the scheduler did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
