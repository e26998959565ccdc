"""Losses of runs that take too long to repeat in every benchmark, in goals.json next to this file.

Losses only: how quickly they fall step by step doesn't depend on how busy the machine was. What a
step costs is measured each time.
"""

import json
import time
from pathlib import Path

from .machine import processor, versions

FILE = Path(__file__).parent / "goals.json"
EVERY = 5  # steps from one recorded loss to the next


def noted(label):
    """The recorded losses, [0] of the picture that the run starts from; [] if there are none."""
    return _read().get(label, {}).get("losses", [])


def note(label, losses, *packages):
    """Record the losses of a run so far, unless it got further before."""
    if len(losses) <= len(noted(label)):
        return
    made_with = f"{time.strftime('%Y-%m-%d')}, {processor()}, {versions(*packages)}"
    _write(label, {"made with": made_with, "losses": [round(x) for x in losses]})


def saved(label, steps):
    """The recorded loss of the picture that a program would save after so many steps; 0 if none."""
    return _read().get(label, {}).get("saved", {}).get(str(steps), 0)


def note_saved(label, program, steps):
    """Record the loss of the picture that a program would save now, clipped to [0, 1]."""
    loss = round(program.loss(program.picture()))
    _write(label, {"saved": _read()[label].get("saved", {}) | {str(steps): loss}})


def noting(label, judge, *packages):
    """The judge, as a function that records every loss it finds."""
    losses = []

    def judged(picture):
        losses.append(judge(picture))
        note(label, losses, *packages)
        print(f"{label}: {losses[-1]:.0f} after {EVERY * (len(losses) - 1)} steps", flush=True)
        return losses[-1]

    return judged


def run(label, program, steps, *packages, save=()):
    """Let a program take its steps, and record its losses and, after `save` steps, its file's."""
    judge = noting(label, program.loss, *packages)
    for step in range(steps + 1):
        if step:
            program.step()
        if step % EVERY == 0:
            judge(None)
        if step in save:
            note_saved(label, program, step)


def _read():
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def _write(label, values):
    entries = _read()
    entries[label] = entries.get(label, {}) | values
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
