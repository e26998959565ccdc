"""run_all(): many jobs in this process, in several, or on a cluster.  (Notebook 06.)"""

import asyncio
import contextlib
import functools
import logging
import os
import platform
import queue
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from ..errors import DreamkitError, SettingsError, check_range
from ..runs.versions import exact_versions

CONNECT, GATHER = 5, 15  # seconds to wait for a scheduler, and for its first worker
GONE = 30  # seconds to wait for a worker after the last one has gone
MOST_WORKERS = 1000
IDLE = 300  # seconds after which a worker process without a job ends
OTHER_VERSIONS = (
    "The worker {worker} would make other pictures, for it has {differing}: install the same"
    " versions there, restart it, then run this again."
)
_one_at_a_time = threading.RLock()  # a Dask worker may have several threads; networks want one


def run_all(function, jobs, *, workers=1, scheduler=None):
    """Do every job once and yield each as soon as it is done.

    Args:
        function: called with one job. In other processes, function, jobs and results must be
            picklable. If a cluster's worker dies, its jobs go to another, so doing a job twice
            must be harmless.
        jobs: an iterable, read only as far as there are workers to keep busy.
        workers: number of processes on this machine; with 1, this process does all the jobs.
        scheduler: address of a Dask scheduler, such as `"tcp://192.168.0.7:8786"`, whose workers
            do the jobs instead.

    Yields:
        (job, result), in the order in which they finish. A `DreamkitError` or `OSError` that a
        job raises is its result; any other error ends everything.

    Raises:
        SettingsError: workers is out of range or combined with a scheduler; the scheduler cannot
            be reached, has no workers or goes away; its workers go away, cannot import dreamkit, or
            have other versions than this computer; the system killed a worker process.

    Introduced in notebook 06.

    >>> sorted(run_all(abs, [-1, 2]))
    [(-1, 1), (2, 2)]
    """
    check_range("workers", workers, 1, MOST_WORKERS)
    if scheduler is not None and workers != 1:
        raise SettingsError("workers and scheduler cannot be combined: give one of them.")
    if scheduler is not None:
        return _on_cluster(function, jobs, scheduler)
    if workers > 1:
        return _in_processes(function, jobs, workers)
    return ((job, attempt(function, job)) for job in jobs)


def attempt(function, job):
    """The result of a job, or the error to report for it."""
    with _one_at_a_time:
        try:
            return function(job)
        except (DreamkitError, OSError) as error:
            return error


def _as_completed(jobs, submit, room):
    """Keep up to `room()` jobs submitted; yield (job, its future) as each is done.

    `submit(job)` returns a future of loky or of Dask. joblib's Dask backend would join the two as
    well, but in joblib 1.6 it waits forever for a job that killed its workers, and a cluster with
    a single thread gets no job at all.
    """
    jobs, pending, done = iter(jobs), {}, queue.SimpleQueue()
    while True:
        for job in islice(jobs, max(0, room() - len(pending))):
            future = submit(job)
            pending[future] = job
            future.add_done_callback(done.put)
        if not pending:
            return
        try:
            future = done.get(timeout=1)
        except queue.Empty:  # workers may have joined; and Windows sees Ctrl-C only between waits
            continue
        yield pending.pop(future), future


def _in_processes(function, jobs, workers):
    from joblib.externals.loky import BrokenProcessPool, get_reusable_executor
    from joblib.parallel import ParallelBackendBase

    share = str(max(1, (os.cpu_count() or 1) // workers))
    libraries = ParallelBackendBase.MAX_NUM_THREADS_VARS  # those that NumPy may use
    names = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", *libraries
    options = dict(initializer=_prepare_process, env={n: os.environ.get(n, share) for n in names})
    pool = get_reusable_executor(workers, timeout=IDLE, **options)
    submit = functools.partial(pool.submit, attempt, function)
    try:
        for job, future in _as_completed(jobs, submit, lambda: 2 * workers):
            yield job, future.result()
    except BrokenProcessPool as error:
        raise SettingsError(
            "A worker process was killed, most likely because memory ran out: use fewer workers or"
            " a smaller size."
        ) from error
    except BaseException:  # an error, Ctrl-C, or a caller who wants no more
        pool.shutdown(kill_workers=True)
        raise


def _prepare_process():
    """Leave Ctrl-C to the first process, and locks that outlive a killed worker to nobody."""
    from tqdm import tqdm

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())


def _on_cluster(function, jobs, scheduler):
    lost = SettingsError(
        f"The scheduler at {scheduler} went away: restart it and its workers, then run this again."
    )
    with _connected(scheduler) as client:
        from distributed import CancelledError, KilledWorker

        gone = CancelledError, OSError, asyncio.TimeoutError  # an OSError too from Python 3.11 on
        try:
            _check_workers(client, scheduler)
        except gone as error:
            raise lost from error
        expected, seen = exact_versions(load=True), time.monotonic()

        def submit(job):
            with warnings.catch_warnings():  # Dask advises against sending pictures
                warnings.filterwarnings("ignore", "Sending large graph")
                return client.submit(_attempt_alike, expected, function, job, pure=False)

        def room():
            """For every thread a job and one in reserve."""
            nonlocal seen
            try:
                threads = sum(client.nthreads().values())
            except Exception as error:  # which one depends on how far the client has closed
                raise lost from error
            seen = time.monotonic() if threads else seen
            if time.monotonic() - seen > GONE:
                raise SettingsError(
                    f"All workers of the scheduler at {scheduler} have gone: start some with `dask"
                    f" worker {scheduler} --nthreads 1`, then run this again; what is finished"
                    " stays."
                )
            return 2 * max(1, threads)

        for job, future in _as_completed(jobs, submit, room):
            try:
                result = future.result()
            except KilledWorker:
                result = SettingsError(
                    "Several workers died during this job, most likely because memory ran out: use"
                    " a smaller size or workers with more memory."
                )
            except ImportError as error:
                raise _not_installed(scheduler, error) from error
            except gone as error:  # no job raises these: see attempt()
                raise lost from error
            yield job, result


def _attempt_alike(expected, function, job):
    """`attempt` on a worker, which may have joined late, if its versions are the expected ones."""
    if differing := differing_here(expected):
        raise SettingsError(OTHER_VERSIONS.format(worker=platform.node(), differing=differing))
    return attempt(function, job)


def _check_workers(client, scheduler):
    """Raise a `SettingsError` unless all workers can import dreamkit, and have our versions."""
    try:
        found = client.run(differing_here, exact_versions(load=True), on_error="return")
    except ImportError as error:
        raise _not_installed(scheduler, error) from error
    for worker, differing in found.items():
        if isinstance(differing, Exception):
            raise _not_installed(scheduler, differing) from differing
        if differing:
            raise SettingsError(OTHER_VERSIONS.format(worker=worker, differing=differing))


def differing_here(expected):
    """What a worker has other versions of, in words; TensorFlow is loaded only if it seems so."""
    records = different_versions(expected, exact_versions())
    return records and different_versions(expected, exact_versions(load=True))


def different_versions(here, there):
    """What differs between two computers' `versions`, in words; of Python, only 3.11 counts.

    >>> different_versions({"keras": "3.1", "python": "3.11.2"}, {"keras": "3.2"})
    'keras 3.2 instead of 3.1, no python instead of 3.11.2'
    """
    return ", ".join(
        f"{name} {there[name]} instead of {here[name]}"
        if there.get(name)
        else f"no {name} instead of {here[name]}"
        for name in here
        if _counts(name, here[name]) != _counts(name, there.get(name))
    )


def _counts(name, version):
    return version and version.split(".")[:2] if name == "python" else version


def _not_installed(scheduler, error):
    return SettingsError(
        f"The cluster at {scheduler} cannot import dreamkit ({error}): install this course where"
        " its scheduler and workers run, restart them, then run this again."
    )


@contextlib.contextmanager
def _connected(scheduler):
    """A client of the scheduler, with at least one worker."""
    try:
        from distributed import Client
        from distributed.utils import silence_logging_cmgr
    except ImportError as error:
        raise SettingsError(
            "A scheduler needs the package distributed: run `pip install distributed`."
        ) from error
    _check_scheduler(scheduler)
    with (
        silence_logging_cmgr(logging.CRITICAL + 1),  # it logs pages about a lost connection
        _started(Client, scheduler) as client,
    ):
        try:
            client.wait_for_workers(1, timeout=GATHER)
        except asyncio.TimeoutError as error:  # not the built-in one before Python 3.11
            raise SettingsError(
                f"The scheduler at {scheduler} has no workers: start some with `dask worker"
                f" {scheduler} --nthreads 1`."
            ) from error
        yield client


def _started(client, scheduler):
    try:
        return client(scheduler, timeout=GATHER, set_as_default=False)
    except (OSError, asyncio.TimeoutError) as error:
        raise SettingsError(
            f"The scheduler at {scheduler} is too busy to answer within {GATHER} s: run this again"
            " when it has less to do, or restart it."
        ) from error


def _check_scheduler(address):
    """Ask who is there; a `Client` that finds no scheduler prints tracebacks when Python exits."""
    from distributed.core import rpc

    async def ask():
        async with rpc(address, timeout=CONNECT) as scheduler:
            return await scheduler.identity()

    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's main thread is running a loop already
            identity = thread.submit(asyncio.run, asyncio.wait_for(ask(), CONNECT)).result()
        if identity["type"] != "Scheduler":
            raise ValueError(identity["type"])
    except Exception as error:  # another kind of server can answer anything
        raise SettingsError(
            f"No Dask scheduler answers at {address!r}: start one with `dask scheduler` and give"
            " its address as tcp://HOST:PORT."
        ) from error
