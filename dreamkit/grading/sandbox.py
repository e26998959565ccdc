"""The sandbox: a process with limits and, where the system allows it, without network or files.

On Linux, `unshare` gives the process a network with nothing in it, a process table of its own, and
a view of the disk in which the submissions, the results and other scratch folders are empty, and
most of the rest is read-only. A second `unshare` then takes away the right to undo that.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
UNSHARE = ("unshare", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child")
ENTER = """
scratch=$1; shift
mount --bind "$scratch" /mnt || exit 99
mount -t tmpfs none "$(dirname "$scratch")" && mkdir "$scratch" || exit 99
mount --bind /mnt "$scratch" || exit 99
while read -r _ point _; do
    case $point in
        /proc* | /sys* | /dev* | /mnt | "$scratch") ;;
        *) mount -o remount,bind,ro "$point" 2>/dev/null ;;
    esac
done < /proc/self/mounts
while [ "$1" != -- ]; do mount -t tmpfs -o ro none "$1" || exit 99; shift; done
shift
cd "$scratch" && exec unshare --map-root-user -- "$@"
"""
KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TF_NUM_INTRAOP_THREADS", "LD_LIBRARY_PATH")


class Sandbox:
    """Starts processes that cannot reach the network or the folders in `hidden`, if possible.

    Each works in a scratch folder of its own, and doesn't see the folders next to it. `isolated`
    says whether that worked; if not, the processes only have limits.
    """

    def __init__(self, hidden, scratch):
        outer = [a for a in hidden if not any(a != b and a.is_relative_to(b) for b in hidden)]
        self.hidden = [str(folder) for folder in dict.fromkeys(outer)]
        self.prefixes = [[*UNSHARE, "--mount-proc"], [*UNSHARE], []]
        if not shutil.which("unshare"):
            self.prefixes = [[]]
        while self.prefixes[0] and not self._works(scratch):
            self.prefixes.pop(0)

    @property
    def isolated(self):
        """True if processes have no network and cannot see the hidden folders."""
        return bool(self.prefixes[0])

    def command(self, command, scratch):
        """The command inside the sandbox."""
        prefix = self.prefixes[0]
        if not prefix:
            return list(command)
        return [*prefix, "sh", "-c", ENTER, "sh", str(scratch), *self.hidden, "--", *command]

    def _works(self, scratch):
        command = self.command(["true"], scratch)
        try:
            done = subprocess.run(command, capture_output=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    @contextlib.contextmanager
    def process(self, arguments, scratch, seconds, environment):
        """Run `python -m arguments` for at most so many seconds; then it and its children end."""
        command = self.command([sys.executable, "-m", *map(str, arguments)], scratch)
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=scratch,
            env=_clean_environment(scratch) | environment,
            start_new_session=True,
        )
        process.timed_out = False

        def ring():
            process.timed_out = True
            _end(process)

        timer = threading.Timer(seconds, ring)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            _end(process)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()


def _end(process):
    """Kill a process and the group of processes that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _clean_environment(scratch):
    """A few variables only: whatever else is set here, such as passwords, stays here."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    folders = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(scratch))
    own = {name: value for name, value in os.environ.items() if name.startswith("DREAMKIT_")}
    quiet = {"MPLBACKEND": "agg", "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    return kept | folders | own | quiet
