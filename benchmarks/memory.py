"""Peak memory and time of single steps, in a separate process.

python -m benchmarks.memory style 4096 vgg19
"""

import json
import os
import subprocess
import sys
import time


def measure(kind, size, network, environment=None, **options):
    """{gib, seconds, tile, estimate} of steps in a child process; `environment` sets variables."""
    words = [kind, str(size), network, json.dumps(options)]
    child = [sys.executable, "-m", "benchmarks.memory", *words]
    variables = os.environ | (environment or {})
    done = subprocess.run(child, capture_output=True, text=True, check=True, env=variables)
    return json.loads(done.stdout.splitlines()[-1])


def main(kind, size, network, options="{}"):
    """The median of a run's first steps after one to warm up; one step for a large picture."""
    from statistics import median

    from dreamkit import deep_dream, estimate, load_image, resize, style_transfer
    from dreamkit.large.memory import peak_memory

    size, options = int(size), json.loads(options)
    estimated = estimate(kind, size, network, steps=1, octaves=1, **options)
    square = resize(load_image("astronaut"), (size, size))
    square.setflags(write=False)  # else the run would work on a copy
    last = 1 if size > 1024 else 5
    stop = lambda step: step.step == last  # noqa: E731
    common = dict(steps=last + 1, seed=0, octaves=1, progress=False, callback=stop, **options)
    started = time.perf_counter()
    if kind == "style":
        run = style_transfer(square, "night_flow", network, **common)
    else:
        run = deep_dream(square, network, **common)
    seconds = median(run.history["seconds"].diff().dropna())
    print(
        json.dumps(
            dict(
                gib=peak_memory() / 2**30,
                seconds=seconds,
                whole=time.perf_counter() - started,
                tile=estimated.tile,
                estimate=dict(gib=estimated.gib, seconds=estimated.seconds),
            )
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
