"""How soon the playground shows a change after *Run*, in a separate process, as a visitor meets it.

python -m benchmarks.play quick
"""

import json
import subprocess
import sys
import threading
import time

from dreamkit import profile
from dreamkit.widgets import playground

PATIENCE = 120  # s


def measure(name):
    """{seconds, size} of a page with a profile's networks in a fresh process."""
    child = [sys.executable, "-m", "benchmarks.play", name]
    done = subprocess.run(child, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def first_change(name):
    """Seconds from *Run* to the first picture of a walk, and the size that the page chose, px."""
    page, seen = playground(profile(name, quiet=True), folder=None), threading.Event()
    show = page.walking

    def walking(step, walk):
        show(step, walk)
        seen.set()

    page.walking = walking
    started = time.perf_counter()
    page.run_button.click()
    if not seen.wait(PATIENCE):
        raise TimeoutError("The playground showed no change.")
    seconds = time.perf_counter() - started
    page.worker.stop()
    page.worker.wait(PATIENCE)
    return dict(seconds=seconds, size=page.settings.values()["size"])


if __name__ == "__main__":
    print(json.dumps(first_change(sys.argv[1])))
