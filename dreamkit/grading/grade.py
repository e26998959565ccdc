"""Grading: run each submitted notebook in the sandbox, and check its answers here.

The checks and what they compare with are in this process. A submission only sends its answers, and
is asked to call its own functions; whatever else it does, prints or overwrites changes no verdict.
"""

import json
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..errors import SettingsError
from ..exercises import EXERCISES, check
from ..exercises.diagnosis import UNFILLED
from ..inputs.files import check_folder, replacing
from .conversation import Conversation
from .sandbox import PACKAGE, Sandbox
from .submissions import find_submissions

MOST_TRIES = 20  # so that a loop cannot find an answer by trying all of them
JOURNAL = "grades.json"


@dataclass
class Answer:
    """An answer to an exercise: its verdict, the check's words, and the answer itself."""

    verdict: str  # "right", "wrong" or "unanswered"
    words: str
    shown: str = ""
    tries: int = 1


@dataclass
class Result:
    """The outcome of a notebook: an `Answer` for each exercise, and a note if it didn't finish."""

    student: str
    notebook: str
    digest: str
    answers: dict = field(default_factory=dict)
    note: str = ""
    failed: list = field(default_factory=list)  # cells that raised an error
    seconds: float = 0.0


@dataclass(frozen=True)
class Limits:
    """What a notebook may use: seconds in all and for each cell, and bytes of memory."""

    seconds: float = 600
    cell_seconds: float = 60
    memory: int = 8 * 2**30
    profile: str = "ci"


def grade_folder(folder, out, limits, workers=1, announce=print):
    """Grade all notebooks in a folder, except those that were graded before and haven't changed.

    Args:
        folder: of submissions; see `find_submissions`.
        out: the folder for the journal, which is written after each notebook.
        limits: a `Limits`.
        workers: how many notebooks run at the same time.
        announce: called with one line for each notebook.

    Returns:
        A list of `Result`, in the order of the submissions.
    """
    submissions = find_submissions(folder)
    folder, out = Path(folder).resolve(), Path(out).resolve()
    if PACKAGE.is_relative_to(folder):
        raise SettingsError(f"{folder}: dreamkit is inside it; move the submissions elsewhere.")
    journal = _read_journal(out / JOURNAL, limits)
    check_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="grading-") as scratch:
        scratch = Path(scratch).resolve()
        if scratch.is_relative_to(folder):
            raise SettingsError(f"{folder}: holds the temporary folder; move it elsewhere.")
        sandbox = Sandbox([folder, out], Path(tempfile.mkdtemp(dir=scratch)))
        announce(describe(sandbox))
        pool, jobs = ThreadPoolExecutor(workers), {}
        try:
            for submission in submissions:
                key, digest = str(submission.path.relative_to(folder)), submission.digest()
                if key in journal and journal[key].digest == digest:
                    announce(f"{submission.student} {submission.notebook}: graded before")
                else:
                    task = submission, digest, limits, sandbox, scratch
                    jobs[key] = pool.submit(run_notebook, *task)
            for number, (key, job) in enumerate(jobs.items(), 1):
                journal[key] = job.result()
                announce(f"[{number}/{len(jobs)}] {_summary_line(journal[key])}")
                _write_journal(out / JOURNAL, limits, journal)
        finally:
            pool.shutdown(cancel_futures=True)  # Ctrl-C waits only for those that are running
    return [journal[str(submission.path.relative_to(folder))] for submission in submissions]


def describe(sandbox):
    """In one sentence, how far strangers' code can reach."""
    if sandbox.isolated:
        return (
            "Notebooks run without network, and can't see the submissions or results; they can"
            " still read your other files."
        )
    return (
        "WARNING: this system has no sandbox (it needs Linux with unshare), so notebooks run"
        " with your network and your files: grade on a machine that holds nothing else."
    )


def run_notebook(submission, digest, limits, sandbox, folder):
    """Run one notebook in a process of its own, and check its answers in this one."""
    result = Result(submission.student, submission.notebook, digest)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = _copy(submission, Path(scratch))
        program = ["dreamkit.grading.student", path, limits.cell_seconds, limits.memory]
        environment = {"DREAMKIT_PROFILE": limits.profile}
        with sandbox.process(program, Path(scratch), limits.seconds, environment) as process:
            _talk(process, result)
            if process.timed_out:
                result.note = f"took longer than {limits.seconds:g} s"
    result.seconds = round(time.monotonic() - started, 1)
    return result


def _copy(submission, scratch):
    """Copy the student's files, and return the notebook's new path."""
    root = submission.root.parent
    for source in submission.files():
        target = scratch / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return scratch / submission.path.relative_to(root)


def _talk(process, result):
    """Answer what the submission asks until it ends; note how it ended."""
    finished = []

    def checked(number, answer):
        verdict = check(number, answer)
        if number in EXERCISES:
            _record(result.answers, number, answer, verdict)
        return verdict.right, verdict.words

    def failed(cell, error):
        if len(result.failed) < 20:
            result.failed.append(f"cell {int(cell)}: {str(error)[:200]}")

    functions = {"check": checked, "failed": failed, "finished": lambda: finished.append(True)}
    try:
        Conversation(process.stdout, process.stdin, functions).serve()
    except Exception as error:  # whatever a submission sends, the others must still be graded
        result.note = f"stopped: {type(error).__name__}: {error}"[:200]
    if not finished and not result.note:
        result.note = "ended before its last cell, perhaps for lack of memory"


def _record(answers, number, answer, verdict):
    """Keep the first right answer of the first tries, or else the last of them."""
    before = answers.get(number)
    tries = before.tries + 1 if before else 1
    if before and (before.verdict == "right" or tries > MOST_TRIES):
        before.tries = tries
        return
    if verdict.right:
        kind = "right"
    else:
        unanswered = answer is ... or answer is None or verdict.words == UNFILLED
        kind = "unanswered" if unanswered else "wrong"
    shown = "a function" if callable(answer) else " ".join(repr(answer).split())[:80]
    answers[number] = Answer(kind, verdict.words[:300], shown, tries)


def _summary_line(result):
    right = sum(answer.verdict == "right" for answer in result.answers.values())
    note = f"; {result.note}" if result.note else ""
    return (
        f"{result.student} {result.notebook}: {right} of {len(result.answers)} right,"
        f" {result.seconds:.0f} s{note}"
    )


def _read_journal(path, limits):
    """The results of earlier runs with the same limits, {path: Result}."""
    try:
        journal = json.loads(path.read_text("utf-8"))
        if journal["limits"] != asdict(limits):
            return {}
        results = {key: Result(**noted) for key, noted in journal["results"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        raise SettingsError(f"{path}: not a journal of grades; choose another --out.") from None
    for result in results.values():
        result.answers = {number: Answer(**noted) for number, noted in result.answers.items()}
    return results


def _write_journal(path, limits, results):
    noted = {key: asdict(result) for key, result in results.items()}
    text = json.dumps({"limits": asdict(limits), "results": noted}, indent=1, ensure_ascii=False)
    with replacing(path) as part:
        part.write_text(text, "utf-8")
