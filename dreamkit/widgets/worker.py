"""A run in the background: pause, resume, stop, and change its weights while it walks."""

import threading
import time

from ..errors import DivergedError, DreamkitError, SettingsError
from ..runs.steering import Steered
from .turns import Turn

INTERVAL = 0.5  # s between two pictures at least
PATIENCE = 0.2  # s between two looks at the queue


class Listener:
    """What a page wants to know about a run; called in the run's own thread."""

    def waiting(self, place):
        """The run waits for its turn; `place` runs must finish before."""

    def walking(self, step, walk):
        """There is something new to show: the last `Step`."""

    def paused(self, step, walk):
        """The run stands still after this `Step`."""

    def ended(self, run, problem):
        """The run is over: its `Run` or None, and what went wrong in one sentence or None."""


class Worker:
    """Runs recipes in the background, one at a time.

    Args:
        listener: a `Listener`.
        turn: whose turn it is, if several share the machine; see `Turn`.
        interval: seconds between two pictures, at least.
    """

    def __init__(self, listener, turn=None, interval=INTERVAL):
        self.listener, self.turn, self.interval = listener, turn or Turn(), interval
        self.walk = None

    @property
    def busy(self):
        """True from `start` until the run has ended."""
        return self.walk is not None and self.walk.busy

    def start(self, recipe, arguments):
        """Call `recipe(**arguments)` in the background; returns the `Walk`.

        Raises:
            SettingsError: the run before has not ended.
        """
        self.check_free()
        self.walk = Walk(recipe, arguments, self.listener, self.turn, self.interval)
        threading.Thread(target=self.walk.run, daemon=True, name="playground").start()
        return self.walk

    def check_free(self):
        """Raise a `SettingsError` if the run before has not ended."""
        if self.busy:
            raise SettingsError("A picture is being made: stop it first, or wait until it is done.")

    def pause(self):
        """Stand still after the next step."""
        if self.walk:
            self.walk.go.clear()

    def go_on(self):
        """Walk on after a pause."""
        if self.walk:
            self.walk.go.set()

    def stop(self):
        """End the run after the next step, with the picture so far."""
        if self.walk:
            self.walk.stopping = True
            self.walk.go.set()

    def change(self, weights):
        """Change weights of the running walk from the next step on, {term or "balance": weight}."""
        if self.busy:
            self.walk.change(weights)

    def wait(self, timeout=None):
        """Wait until the run has ended; False if it hasn't by then."""
        return self.walk is None or self.walk.over.wait(timeout)


class Walk(Steered):
    """One run: the callback that steers it and keeps what was done in `events`.

    Attributes:
        rows: [{term: value}, …], one for each step.
        starts: numbers of the rows with which a new size or method begins.
        moving: seconds spent walking, without pauses.
    """

    def __init__(self, recipe, arguments, listener, turn, interval):
        super().__init__()
        self.recipe, self.arguments, self.listener = recipe, arguments, listener
        self.turn, self.interval = turn, interval
        self.go, self.over = threading.Event(), threading.Event()
        self.busy, self.stopping = True, False
        self.go.set()
        self.rows, self.starts = [], []
        self.moving, self.shown, self.since = 0.0, 0.0, None
        self._lock, self._pending, self._changed = threading.Lock(), {}, {}

    def run(self):
        """Make the picture, and tell the listener how it ended."""
        run = problem = None
        try:
            if self._wait_for_turn():
                run = self.recipe(**self.arguments, callback=self, progress=False)
        except Exception as error:
            run, problem = getattr(error, "run", None), sentence(error)
        finally:
            self.turn.leave()
            self.busy = False
        self.listener.ended(run, problem)
        self.over.set()

    def change(self, weights):
        """Keep changes for the next step."""
        with self._lock:
            self._pending |= weights

    def __call__(self, step):
        now = time.monotonic()
        self.moving += now - self.since if self.since else 0.0
        if step.step == 0 and self.rows:
            self.starts.append(len(self.rows))
        self.rows.append(dict(step.terms))
        if step.step > 0 and now - self.shown >= self.interval:
            self.shown = now
            self.listener.walking(step, self)
        if not self.go.is_set():
            self._stand_still(step)
        self.since = time.monotonic()
        return self._answer(step)

    def _stand_still(self, step):
        """Wait until somebody wants to continue; others may walk meanwhile."""
        self.turn.leave()
        self.listener.paused(step, self)
        self.go.wait()
        self._wait_for_turn()

    def _wait_for_turn(self):
        """Wait in the queue; False if the run was stopped meanwhile."""
        self.turn.enter()
        announced = 0
        while not self.stopping and (place := self.turn.place()):
            if place != announced:
                self.listener.waiting(place)
            announced = place
            time.sleep(PATIENCE)
        return not self.stopping

    def _answer(self, step):
        """What to tell the run, and to remember: stop, change weights, or nothing."""
        with self._lock:
            change, self._pending = self._pending, {}
        self._changed |= change
        if step.step == 0:  # each size starts with the recipe's own weights
            change = dict(self._changed)
        if self.stopping:
            self.events.append([step.phase, step.step, "stop"])
            return True
        if change:
            self.events.append([step.phase, step.step, change])
        return change or None


def sentence(error):
    """What went wrong, in one sentence for the person who sees the page."""
    if isinstance(error, DivergedError):
        return "The numbers have grown too large: lower the weights. This is the best so far."
    if isinstance(error, DreamkitError):
        return " ".join(str(error).split())
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "There is not enough memory for this picture: choose a smaller size."
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return f"Something went wrong that should not have ({type(error).__name__}: {first})."
