"""run_all(): many jobs, in this process, on several, or on a cluster.  (Notebook 05.)"""

import asyncio
import contextlib
import logging
import os
import signal
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from ..errors import DreamkitError, SettingsError, check_range

CONNECT, GATHER = 5, 15  # seconds to wait for a scheduler, and for its first worker
_one_at_a_time = threading.Lock()  # a worker of Dask may have threads; our networks want one


def run_all(function, jobs, *, workers=1, scheduler=None):
    """Do every job once, and give each back as it is done.

    Args:
        function: called with one job; where other processes do the work, function, jobs and
            results have to be picklable. A job whose worker dies is done again elsewhere, so that
            doing it twice has to be the same as once.
        jobs: an iterable, of which no more is taken than is about to be worked on.
        workers: processes on this machine; with 1, this process does it all.
        scheduler: address of a Dask scheduler, such as `"tcp://192.168.0.7:8786"`, whose workers
            do the jobs instead.

    Yields:
        (job, result), in the order in which they are done. A `DreamkitError` or `OSError` that a
        job raises is its result; any other error ends everything.

    Raises:
        SettingsError: workers out of range or given with a scheduler; a scheduler that cannot be
            reached, has no workers or goes away; workers that the system has ended.

    Introduced in notebook 05.

    >>> sorted(run_all(abs, [-1, 2]))
    [(-1, 1), (2, 2)]
    """
    check_range("workers", workers, 1)
    if scheduler is not None and workers != 1:
        raise SettingsError("workers and scheduler cannot go together: give one of them.")
    if scheduler is not None:
        return _on_cluster(function, jobs, scheduler)
    return _on_processes(function, jobs, workers) if workers > 1 else _here(function, jobs)


def attempt(function, job):
    """What a job comes to: its result, or the error that is to be told."""
    try:
        return function(job)
    except (DreamkitError, OSError) as error:
        return error


def _here(function, jobs):
    for job in jobs:
        yield job, attempt(function, job)


def _on_processes(function, jobs, workers):
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    threads = max(1, (os.cpu_count() or 1) // workers)
    parallel = Parallel(
        workers,
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        pre_dispatch=2 * workers,
        max_nbytes=None,  # arrays shared through files could not be written to
        initializer=_settle_worker,
        initargs=(threads,),
    )
    waiting = {}

    def calls():
        for number, job in enumerate(jobs):
            waiting[number] = job
            yield delayed(_numbered)(function, number, job)

    results = parallel(calls())
    try:
        for number, result in results:
            yield waiting.pop(number), result
    except BrokenProcessPool as error:
        raise SettingsError(
            "A worker was ended by the system, most likely for want of memory: take fewer workers"
            " or a smaller size."
        ) from error
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whoever stops in the middle knows of the waste
            results.close()


def _settle_worker(threads):
    """Give a worker its share of the processors; Ctrl-C is the first process's to handle."""
    from tqdm import tqdm

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())  # its own would be missed by the system if we are killed
    for kind in ("INTRA", "INTER"):  # read by TensorFlow when it starts
        os.environ.setdefault(f"TF_NUM_{kind}OP_THREADS", str(threads))


def _numbered(function, number, job):
    return number, attempt(function, job)


def _on_cluster(function, jobs, scheduler):
    with _connected(scheduler) as client:
        from distributed import as_completed

        remaining, waiting, done = iter(jobs), {}, as_completed(loop=client.loop)

        def submit():
            """Keep every worker busy, with one more job in reserve."""
            with _told_when_gone(scheduler):
                room = 2 * max(1, sum(client.nthreads().values())) - len(waiting)
            for job in islice(remaining, max(0, room)):
                future = client.submit(_alone, function, job, pure=False)
                waiting[future.key] = job, future
                done.add(future)

        submit()
        while waiting:
            future = next(done)
            job, _ = waiting.pop(future.key)
            yield job, _outcome(future, scheduler)
            submit()


def _alone(function, job):
    with _one_at_a_time:
        return attempt(function, job)


def _outcome(future, scheduler):
    """The result of a job on a cluster; one that ended its workers is told like any other."""
    from distributed import KilledWorker

    try:
        with _told_when_gone(scheduler):
            return future.result()
    except KilledWorker:
        return SettingsError(
            "Several workers ended at this job, most likely for want of memory: take a smaller"
            " size, or workers with more."
        )


@contextlib.contextmanager
def _told_when_gone(scheduler):
    from distributed import CancelledError

    try:
        yield
    except (CancelledError, OSError) as error:  # no job raises these: see attempt()
        raise SettingsError(
            f"The scheduler at {scheduler} went away: start it and its workers, then call again."
        ) from error


@contextlib.contextmanager
def _connected(scheduler):
    """A client of the scheduler, with at least one worker."""
    try:
        from distributed import Client
    except ImportError as error:
        raise SettingsError(
            "A scheduler needs the package distributed: run `pip install distributed`."
        ) from error
    _check_scheduler(scheduler)
    with _quiet(), Client(scheduler, timeout=GATHER, set_as_default=False) as client:
        try:
            client.wait_for_workers(1, timeout=GATHER)
        except TimeoutError as error:
            raise SettingsError(
                f"The scheduler at {scheduler} has no workers: start some with `dask worker"
                f" {scheduler} --nthreads 1`."
            ) from error
        yield client


@contextlib.contextmanager
def _quiet():
    """Dask logs pages about a lost connection, of which we tell in a sentence."""
    loggers = {
        log: log.level for log in map(logging.getLogger, ("distributed", "distributed.client"))
    }
    for log in loggers:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in loggers.items():
            log.setLevel(level)


def _check_scheduler(address):
    """Ask for the scheduler's name; a `Client` that finds none goes on about it at its end."""
    from distributed.core import rpc

    async def ask():
        async with rpc(address, timeout=CONNECT) as scheduler:
            return await scheduler.identity()

    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread has its loop already
            said = thread.submit(lambda: asyncio.run(asyncio.wait_for(ask(), CONNECT))).result()
        if said["type"] != "Scheduler":
            raise ValueError(said["type"])
    except (OSError, ValueError, TypeError, LookupError, TimeoutError) as error:
        raise SettingsError(
            f"No Dask scheduler answers at {address!r}: start one with `dask scheduler`, and give"
            " its address as tcp://HOST:PORT."
        ) from error
