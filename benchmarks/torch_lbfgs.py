"""Style transfer with PyTorch's L-BFGS and strong-Wolfe line search, as popular programs do it.

After Gatys, Ecker and Bethge 2016; the settings are those of
https://docs.pytorch.org/tutorials/advanced/neural_style_tutorial.html, the objective that of
`tutorial_style`, the weights carried over from the Keras network.
"""

import time

import numpy as np

from .tutorial_style import CONTENT, STYLE


def run(model, content, style, evaluations=200):
    """[(seconds, picture)] after every tenth evaluation, the time for snapshots left out."""
    import torch
    from torch.nn import functional as F

    def tensor(x):
        return torch.from_numpy(np.ascontiguousarray(x))

    layers = []
    for layer in model.layers[1:]:
        if "conv" in layer.name:
            kernel, bias = layer.get_weights()
            layers.append((layer.name, tensor(kernel.transpose(3, 2, 0, 1)), tensor(bias)))
        else:
            layers.append((layer.name, None, None))
        if layer.name == CONTENT:
            break
    mean = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)

    def see(x):
        x, found = x.flip(1) * 255 - mean, {}
        for name, kernel, bias in layers:
            x = (
                F.max_pool2d(x, 2)
                if kernel is None
                else F.relu(F.conv2d(x, kernel, bias, padding=1))
            )
            found[name] = x
        return found

    def gram(f):
        f = f.flatten(2)[0]
        return f @ f.T / f.shape[1]

    photo, painting = (tensor(x.transpose(2, 0, 1)[None]) for x in (content, style))
    with torch.no_grad():
        grams = {name: gram(f) for name, f in see(painting).items() if name in STYLE}
        target = see(photo)[CONTENT]
    picture = photo.clone().requires_grad_()
    lbfgs = torch.optim.LBFGS(
        [picture], max_iter=evaluations, max_eval=evaluations, line_search_fn="strong_wolfe",
        tolerance_grad=0, tolerance_change=0,
    )  # fmt: skip
    made, pause, started = [], 0.0, time.perf_counter()

    def closure():
        nonlocal pause
        with torch.no_grad():
            picture.clamp_(0, 1)
        lbfgs.zero_grad()
        found = see(picture)
        loss = 1e-2 / 5 * sum(((gram(found[n]) - g) ** 2).mean() for n, g in grams.items())
        loss = loss + 1e4 * ((found[CONTENT] - target) ** 2).mean()
        loss = loss + 30 * sum(picture.diff(dim=d).abs().sum() for d in (2, 3))
        loss.backward()
        closure.calls += 1
        if closure.calls % 10 == 0:
            now = time.perf_counter()
            image = picture.detach().clamp(0, 1).numpy()[0].transpose(1, 2, 0).copy()
            made.append((now - started - pause, image))
            pause += time.perf_counter() - now
        return loss

    closure.calls = 0
    lbfgs.step(closure)
    return made
