"""Jobs: here, in several processes and on a real cluster, each is done and told exactly once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dreamkit import DreamkitError, ImageError, SettingsError
from dreamkit.batch.jobs import run_all

TESTS = Path(__file__).parent
ROOT = TESTS.parent


def square(job):
    return job * job


def fail_at_some(job):
    if job == "bad picture":
        raise ImageError("It is bad: take another.")
    if job == "no disk":
        raise OSError(28, "No space left on device", "disk")
    if job == "fault":
        raise ZeroDivisionError("ours")
    return job


def process(_job):
    """(process, threads that TensorFlow is told to use)."""
    time.sleep(0.2)
    return os.getpid(), os.environ.get("TF_NUM_INTRAOP_THREADS")


def end_the_worker(_job):
    os.kill(os.getpid(), signal.SIGKILL)


def take_a_while(job):
    """Note who does it, so that the test knows whom to end."""
    number, folder = job
    (Path(folder) / f"{number}.{os.getpid()}").touch()
    time.sleep(0.15)
    return number


# A real scheduler and two workers, each a process of its own


def dask(*arguments):
    """A process of the cluster; what it logs is of no interest."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(TESTS)]),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class Cluster:
    """A scheduler on loopback and its workers."""

    def __init__(self, folder, workers):
        contact = folder / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", 0, "--no-dashboard")
        self.scheduler = dask(
            "distributed.cli.dask_scheduler", *options, "--scheduler-file", contact
        )
        self.contact, self.workers = contact, []
        for _ in range(workers):
            self.add_worker()

    def add_worker(self):
        options = ("--no-nanny", "--nthreads", 1, "--no-dashboard", "--scheduler-file")
        self.workers.append(dask("distributed.cli.dask_worker", *options, self.contact))

    @property
    def address(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.contact.exists() and (text := self.contact.read_text()):
                return json.loads(text)["address"]
            time.sleep(0.05)
        raise TimeoutError("the scheduler did not start")

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def start_cluster(tmp_path):
    """Function (workers) → a `Cluster` for one test, which may harm it."""
    pytest.importorskip("distributed")
    started = []
    yield lambda workers: started.append(Cluster(tmp_path, workers)) or started[-1]
    for cluster in started:
        cluster.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A scheduler with two workers, for all tests that leave them whole."""
    pytest.importorskip("distributed")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), 2)
    yield cluster.address
    cluster.close()


@pytest.fixture(autouse=True, scope="module")
def _no_worker_lingers():
    yield
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


# Every way comes to the same


def check_all_is_done_and_told(**how):
    assert sorted(run_all(square, range(12), **how)) == [(n, n * n) for n in range(12)]
    assert list(run_all(square, [], **how)) == []
    told = dict(run_all(fail_at_some, ["good", "bad picture", "no disk"], **how))
    assert told["good"] == "good"
    assert isinstance(told["bad picture"], ImageError)
    assert str(told["bad picture"]) == "It is bad: take another."
    assert isinstance(told["no disk"], OSError)
    assert told["no disk"].filename == "disk"
    with pytest.raises(ZeroDivisionError, match="ours"):
        list(run_all(fail_at_some, ["good", "fault"], **how))


def test_this_process_does_and_tells_all_jobs():
    check_all_is_done_and_told()
    assert list(run_all(process, [1])) == [(1, (os.getpid(), None))]


def test_two_processes_do_and_tell_all_jobs():
    check_all_is_done_and_told(workers=2)


def test_two_processes_share_the_processors():
    done = [result for _, result in run_all(process, range(6), workers=2)]
    assert os.getpid() not in {who for who, _ in done}
    assert len({who for who, _ in done}) == 2
    assert {threads for _, threads in done} == {str(max(1, os.cpu_count() // 2))}


def test_jobs_need_not_be_hashable_nor_different():
    jobs = [{"name": "same"}, {"name": "same"}]
    for workers in (1, 2):
        assert [job for job, _ in run_all(str, jobs, workers=workers)] == jobs


def test_two_workers_of_a_cluster_do_and_tell_all_jobs(address):
    check_all_is_done_and_told(scheduler=address)


def test_jobs_of_a_worker_that_is_killed_are_done_by_the_other_and_told_once(
    start_cluster, tmp_path
):
    cluster = start_cluster(2)
    jobs, told, victim = [(number, str(tmp_path)) for number in range(24)], [], None
    for job, result in run_all(take_a_while, jobs, scheduler=cluster.address):
        assert job[0] == result
        told.append(result)
        victims = {int(path.suffix[1:]) for path in tmp_path.glob("*.*[0-9]")}
        if victim is None and len(victims) == 2:
            victim = cluster.workers[0]
            victim.kill()
    assert victim is not None, "the cluster never had two workers at it"
    assert sorted(told) == list(range(24))


def test_a_job_that_ends_its_workers_is_told(start_cluster):
    cluster = start_cluster(2)
    ((_, result),) = run_all(end_the_worker, [1], scheduler=cluster.address)
    assert isinstance(result, SettingsError)
    assert "memory" in str(result)


# No more is taken, and no more done, than is wanted


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (2, 6)])
def test_jobs_are_taken_as_they_are_needed(workers, ahead):
    taken = []
    jobs = (taken.append(number) or number for number in range(100))
    done = run_all(process, jobs, workers=workers)
    next(done)
    assert len(taken) <= ahead
    done.close()


def test_a_cluster_takes_jobs_as_they_are_needed(address):
    taken = []
    jobs = (taken.append(number) or number for number in range(100))
    done = run_all(process, jobs, scheduler=address)
    next(done)
    assert len(taken) <= 4
    done.close()


# What is wrong is told in a sentence


@pytest.mark.parametrize(
    "how", [{"workers": 0}, {"workers": 1.5}, {"workers": 2, "scheduler": "tcp://127.0.0.1:8786"}]
)
def test_a_wrong_number_of_workers_is_told_before_a_job_is_taken(how):
    with pytest.raises(SettingsError, match="workers"):
        run_all(square, [1], **how)


@pytest.mark.parametrize("wrong", ["tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1", ""])
def test_a_scheduler_that_does_not_answer_is_told_with_its_mend(wrong, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("dreamkit.batch.jobs.CONNECT", 1)
    with pytest.raises(SettingsError, match="dask scheduler"):
        list(run_all(square, [1], scheduler=wrong))


def test_a_scheduler_without_workers_is_told_with_its_mend(start_cluster, monkeypatch):
    monkeypatch.setattr("dreamkit.batch.jobs.GATHER", 1)
    cluster = start_cluster(0)
    with pytest.raises(SettingsError, match="dask worker tcp://127"):
        list(run_all(square, [1], scheduler=cluster.address))


def test_a_scheduler_that_goes_away_is_told(start_cluster):
    from dask import config

    cluster = start_cluster(1)
    with config.set({"distributed.comm.timeouts.connect": "1s"}):
        done = run_all(process, range(50), scheduler=cluster.address)
        next(done)
        cluster.scheduler.kill()
        with pytest.raises(SettingsError, match="went away"):
            list(done)


def test_without_distributed_the_package_to_install_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match=r"dreamkit\[cluster\]"):
        list(run_all(square, [1], scheduler="tcp://127.0.0.1:8786"))


def test_a_worker_that_the_system_ends_is_told():
    with pytest.raises(DreamkitError, match="memory"):
        list(run_all(end_the_worker, [1, 2], workers=2))
