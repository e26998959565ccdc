"""Jobs: in this process, in several and on a real cluster, each is done and reported once."""

import asyncio
import contextlib
import http.server
import os
import shutil
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from cluster import ROOT, Cluster

from dreamkit import DreamkitError, ImageError, SettingsError
from dreamkit.batch import jobs as module
from dreamkit.batch.jobs import run_all
from dreamkit.runs import versions


def square(job):
    return job * job


def fail_at_some(job):
    if job == "bad picture":
        raise ImageError("It is bad: choose another.")
    if job == "no disk":
        raise OSError(28, "No space left on device", "disk")
    if job == "bug":
        raise ZeroDivisionError("ours")
    return job


def report_process(_job):
    """(process, number of threads that TensorFlow is to use)."""
    time.sleep(0.2)
    return os.getpid(), os.environ.get("TF_NUM_INTRAOP_THREADS")


def kill_the_worker(job):
    if job != "harmless":
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def take_a_while(job):
    """Leave a note of which process does the job, so that the test knows which to kill."""
    number, folder = job
    (Path(folder) / f"{number}.{os.getpid()}").touch()
    time.sleep(0.15)
    return number


def report_times(_job):
    """(process, when the job started and ended)."""
    started = time.time()
    time.sleep(0.1)
    return os.getpid(), started, time.time()


@pytest.fixture
def start_cluster(tmp_path):
    """Function (workers, threads) → a `Cluster` for one test, which may harm it."""
    pytest.importorskip("distributed")
    with contextlib.ExitStack() as stack:
        yield lambda *size: stack.enter_context(Cluster(tmp_path, *size))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A scheduler with two workers, for all tests that do it no harm."""
    pytest.importorskip("distributed")
    with Cluster(tmp_path_factory.mktemp("cluster"), 2) as cluster:
        yield cluster.address


@pytest.fixture(autouse=True, scope="module")
def _no_worker_lingers():
    """Workers of other tests, which may hold a number of threads given from outside, end first."""
    from joblib.externals.loky import get_reusable_executor

    with pytest.MonkeyPatch.context() as patch:
        for kind in ("INTRA", "INTER"):
            patch.delenv(f"TF_NUM_{kind}OP_THREADS", raising=False)
        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)
        yield
        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


# Every way gives the same


def check_all_is_done_and_reported(**where):
    assert sorted(run_all(square, range(12), **where)) == [(n, n * n) for n in range(12)]
    assert list(run_all(square, [], **where)) == []
    results = dict(run_all(fail_at_some, ["good", "bad picture", "no disk"], **where))
    assert results["good"] == "good"
    assert isinstance(results["bad picture"], ImageError)
    assert str(results["bad picture"]) == "It is bad: choose another."
    assert isinstance(results["no disk"], OSError)
    assert results["no disk"].filename == "disk"
    with pytest.raises(ZeroDivisionError, match="ours"):
        list(run_all(fail_at_some, ["good", "bug"], **where))


def test_this_process_does_and_reports_all_jobs():
    check_all_is_done_and_reported()
    assert list(run_all(report_process, [1])) == [(1, (os.getpid(), None))]


def test_two_processes_do_and_report_all_jobs():
    check_all_is_done_and_reported(workers=2)


def test_two_processes_share_the_processors():
    done = [result for _, result in run_all(report_process, range(6), workers=2)]
    assert os.getpid() not in {process for process, _ in done}
    assert len({process for process, _ in done}) == 2
    assert {threads for _, threads in done} == {str(max(1, os.cpu_count() // 2))}


def test_jobs_need_not_be_hashable_nor_different():
    jobs = [{"name": "same"}, {"name": "same"}]
    for workers in (1, 2):
        assert [job for job, _ in run_all(str, jobs, workers=workers)] == jobs


def test_two_workers_of_a_cluster_do_and_report_all_jobs(address):
    check_all_is_done_and_reported(scheduler=address)


def test_a_cluster_of_one_thread_does_the_jobs_itself(start_cluster):
    done = run_all(report_process, [1, 2], scheduler=start_cluster(1).address)
    assert os.getpid() not in {process for _, (process, _) in done}


def test_a_worker_with_several_threads_does_one_job_at_a_time(start_cluster):
    done = run_all(report_times, range(6), scheduler=start_cluster(1, 3).address)
    spans = sorted((started, ended) for _, (_, started, ended) in done)
    assert all(ended <= next_one for (_, ended), (next_one, _) in pairwise(spans))


def test_a_cluster_works_inside_a_notebook_whose_thread_runs_a_loop(address):
    async def cell():
        return sorted(run_all(square, range(3), scheduler=address))

    assert asyncio.run(cell()) == [(0, 0), (1, 1), (2, 4)]


def test_a_large_job_is_sent_without_a_warning(address):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ((_, size),) = run_all(len, [bytes(20_000_000)], scheduler=address)
    assert size == 20_000_000


def test_jobs_of_a_worker_that_is_killed_are_done_by_the_other_and_reported_once(
    start_cluster, tmp_path
):
    cluster = start_cluster(2)
    jobs, numbers, victim = [(number, str(tmp_path)) for number in range(24)], [], None
    for job, result in run_all(take_a_while, jobs, scheduler=cluster.address):
        assert job[0] == result
        numbers.append(result)
        busy = {int(path.suffix[1:]) for path in tmp_path.glob("*.*[0-9]")}
        if victim is None and len(busy) == 2:
            victim = cluster.workers[0]
            victim.kill()
    assert victim is not None, "the cluster never had two workers at it"
    assert sorted(numbers) == list(range(24))


def test_a_worker_that_joins_late_gets_jobs(start_cluster, tmp_path):
    cluster = start_cluster(1)
    jobs = [(number, str(tmp_path)) for number in range(200)]
    for job, _ in run_all(take_a_while, jobs, scheduler=cluster.address):
        if job[0] == 0:
            cluster.add_worker()
        if len({path.suffix for path in tmp_path.glob("*.*[0-9]")}) == 2:
            return
    pytest.fail("the second worker never got a job")


def test_a_job_that_kills_its_workers_fails_and_the_others_are_done(start_cluster):
    cluster = start_cluster(3)
    done = run_all(kill_the_worker, [1], scheduler=cluster.address)
    ((_, result),) = done
    assert isinstance(result, SettingsError)
    assert "memory" in str(result)
    rest = run_all(kill_the_worker, ["harmless"], scheduler=cluster.address)
    assert list(rest) == [("harmless", "harmless")]


# No more is read, and no more done, than is wanted


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (2, 6)])
def test_jobs_are_read_as_they_are_needed(workers, ahead):
    taken = []
    jobs = (taken.append(number) or number for number in range(100))
    done = run_all(report_process, jobs, workers=workers)
    next(done)
    assert len(taken) <= ahead
    done.close()


def test_a_cluster_reads_jobs_as_they_are_needed(address):
    taken = []
    jobs = (taken.append(number) or number for number in range(100))
    done = run_all(report_process, jobs, scheduler=address)
    next(done)
    assert len(taken) <= 4
    done.close()


def test_an_error_of_the_iterable_ends_everything(address):
    for where in ({}, {"workers": 2}, {"scheduler": address}):
        with pytest.raises(ZeroDivisionError):
            list(run_all(square, (1 // (8 - n) for n in range(10)), **where))
        with pytest.raises(FileNotFoundError):
            list(run_all(square, (open("nosuch") for _ in range(2)), **where))  # noqa: SIM115


# What is wrong is reported in a sentence


@pytest.mark.parametrize(
    "where",
    [
        *({"workers": 0}, {"workers": 1.5}, {"workers": 10**9}),
        {"workers": 2, "scheduler": "tcp://127.0.0.1:8786"},
    ],
)
def test_a_wrong_number_of_workers_is_reported_before_a_job_is_read(where):
    with pytest.raises(SettingsError, match="workers"):
        run_all(square, [1], **where)


@pytest.mark.parametrize("wrong", ["tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1", ""])
def test_a_scheduler_that_does_not_answer_is_reported_with_its_fix(wrong, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("dreamkit.batch.jobs.CONNECT", 1)
    with pytest.raises(SettingsError, match="dask scheduler"):
        list(run_all(square, [1], scheduler=wrong))


def test_another_kind_of_server_is_reported_with_the_fix(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("dreamkit.batch.jobs.CONNECT", 1)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(SettingsError, match="dask scheduler"):
            list(run_all(square, [1], scheduler=f"tcp://127.0.0.1:{server.server_port}"))
        server.shutdown()


def test_a_scheduler_too_busy_to_answer_is_one_sentence(start_cluster, monkeypatch):
    def busy(*_args, **_options):
        raise asyncio.TimeoutError

    cluster = start_cluster(0)
    monkeypatch.setattr("distributed.Client", busy)
    with pytest.raises(SettingsError, match="too busy to answer within"):
        list(run_all(square, [1], scheduler=cluster.address))


def test_a_scheduler_without_workers_is_reported_with_the_fix(start_cluster, monkeypatch):
    monkeypatch.setattr("dreamkit.batch.jobs.GATHER", 4)  # older clients need two to connect
    cluster = start_cluster(0)
    with pytest.raises(SettingsError, match="dask worker tcp://127"):
        list(run_all(square, [1], scheduler=cluster.address))


@pytest.mark.parametrize("seconds", [0, 4])
def test_a_scheduler_that_goes_away_is_one_sentence(start_cluster, monkeypatch, capfd, seconds):
    """Even if the caller takes so long over a result that Dask's client gives up meanwhile."""
    from dask import config

    cluster = start_cluster(1)
    assert list(run_all(square, [3], scheduler=cluster.address)) == [(3, 9)]
    monkeypatch.setattr("dreamkit.batch.jobs.GATHER", 2)
    with config.set({"distributed.comm.timeouts.connect": "1s"}):
        done = run_all(report_process, range(50), scheduler=cluster.address)
        next(done)
        cluster.scheduler.kill()
        time.sleep(seconds)
        with pytest.raises(SettingsError, match="went away"):
            list(done)
    assert capfd.readouterr().err == ""


class OldTimeout(Exception):
    """What asyncio.TimeoutError is before Python 3.11: no OSError, and not the built-in one."""


@pytest.mark.parametrize("moment", ["run", "submit"])
def test_a_cluster_that_is_silent_is_one_sentence_in_every_python(moment, monkeypatch):
    pytest.importorskip("distributed")

    def fail(*_, **__):
        raise OldTimeout

    def submit(*_, **__):
        (future := Future()).set_exception(OldTimeout())
        return future

    client = SimpleNamespace(nthreads=lambda: {"one": 1}, run=lambda *_, **__: {}, submit=submit)
    if moment == "run":
        client.run = fail
    monkeypatch.setattr(module, "_connected", lambda _: contextlib.nullcontext(client))
    monkeypatch.setattr(module.asyncio, "TimeoutError", OldTimeout)
    with pytest.raises(SettingsError, match="went away: restart it"):
        list(run_all(square, [1], scheduler="tcp://127.0.0.1:8786"))


def test_without_distributed_the_package_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match="pip install distributed"):
        list(run_all(square, [1], scheduler="tcp://127.0.0.1:8786"))


def test_a_worker_process_that_the_system_kills_is_reported():
    with pytest.raises(DreamkitError, match="memory"):
        list(run_all(kill_the_worker, [1, 2], workers=2))
    assert list(run_all(square, [3], workers=2)) == [(3, 9)]


# Workers that would make other pictures, or none


def write(folder, files):
    """The folder, with these files, {path: text}."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


RECORD = {
    "tensorflow-9.9.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: tensorflow\nVersion: 9.9.9"
}
OTHER_TENSORFLOW = {**RECORD, "tensorflow/__init__.py": "__version__ = '9.9.9'"}
NO_DREAMKIT = {"dreamkit/__init__.py": "raise ModuleNotFoundError('No module named dreamkit')"}


def test_a_worker_with_another_tensorflow_is_refused_in_a_sentence(tmp_path):
    pytest.importorskip("distributed")
    with Cluster(tmp_path, 1, path=[write(tmp_path, OTHER_TENSORFLOW)]) as cluster:
        jobs = run_all(square, [1, 2], scheduler=cluster.address)
        with pytest.raises(SettingsError, match=r"tcp://.* would .* tensorflow 9\.9\.9 instead of"):
            list(jobs)


def test_sources_are_compared_where_the_version_is_the_same(monkeypatch):
    expected = versions.exact_versions()
    assert not module.differing_here(expected)
    monkeypatch.setattr(versions, "source_digest", lambda: "0123456789ab")
    found = module.differing_here(expected)
    own = expected["dreamkit"]
    assert found == f"dreamkit {own[:-12]}0123456789ab instead of {own}"


@pytest.mark.slow
def test_a_worker_with_other_sources_of_the_same_version_is_refused(tmp_path):
    pytest.importorskip("distributed")
    shutil.copytree(ROOT / "dreamkit", tmp_path / "dreamkit")
    with open(tmp_path / "dreamkit" / "gram.py", "a") as file:
        file.write("# another commit\n")
    with Cluster(tmp_path, 1, path=[tmp_path]) as cluster:
        jobs = run_all(square, [1, 2], scheduler=cluster.address)
        with pytest.raises(
            SettingsError, match=r"has dreamkit 0.*\+\w{12} instead of 0.*\+\w{12}:"
        ):
            list(jobs)


def test_a_worker_whose_record_is_wrong_does_its_jobs(tmp_path):
    pytest.importorskip("distributed")
    with Cluster(tmp_path, 1, path=[write(tmp_path, RECORD)]) as cluster:
        assert list(run_all(square, [3], scheduler=cluster.address)) == [(3, 9)]


@pytest.mark.slow
def test_a_worker_with_other_versions_that_joins_late_is_refused(start_cluster, tmp_path):
    cluster = start_cluster(1)
    jobs = [(number, str(tmp_path)) for number in range(400)]
    done = run_all(take_a_while, jobs, scheduler=cluster.address)
    next(done)
    cluster.add_worker(write(tmp_path / "other", OTHER_TENSORFLOW))
    with pytest.raises(SettingsError, match=r"would make other pictures.*tensorflow 9\.9\.9"):
        list(done)


def test_a_cluster_without_dreamkit_is_reported_with_what_to_do(tmp_path):
    pytest.importorskip("distributed")
    with Cluster(tmp_path, 1, path=[write(tmp_path, NO_DREAMKIT)]) as cluster:
        started = time.monotonic()
        with pytest.raises(SettingsError, match=r"cannot import dreamkit .*: install this course"):
            list(run_all(square, [1, 2], scheduler=cluster.address))
        assert time.monotonic() - started < 60


def test_a_cluster_whose_workers_have_all_gone_is_reported_and_continued(
    start_cluster, tmp_path, monkeypatch
):
    monkeypatch.setattr("dreamkit.batch.jobs.GONE", 2)
    cluster, jobs = start_cluster(1), [(number, str(tmp_path)) for number in range(200)]
    done = run_all(take_a_while, jobs, scheduler=cluster.address)
    next(done)
    cluster.workers[0].kill()
    with pytest.raises(SettingsError, match=r"All workers of .* have gone: start some with `dask"):
        list(done)
    cluster.add_worker()
    rest = run_all(take_a_while, jobs[:3], scheduler=cluster.address)
    assert len(list(rest)) == 3


@pytest.mark.slow
def test_workers_that_come_back_in_time_get_the_rest(start_cluster, tmp_path):
    cluster, done = start_cluster(1), []
    for job, _ in run_all(
        take_a_while, [(n, str(tmp_path)) for n in range(8)], scheduler=cluster.address
    ):
        done.append(job[0])
        if len(done) == 1:
            cluster.workers[0].kill()
            cluster.add_worker()
    assert sorted(done) == list(range(8))
