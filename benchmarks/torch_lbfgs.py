"""Style transfer with PyTorch's L-BFGS and strong-Wolfe line search, as popular programs do it.

After Gatys, Ecker and Bethge 2016; the settings are those of
https://docs.pytorch.org/tutorials/advanced/neural_style_tutorial.html, the objective that of
`tutorial_style`, the weights copied from the Keras network.
"""

import itertools

import numpy as np

from .tutorial_style import CONTENT, STYLE


class Program:
    """L-BFGS in PyTorch, starting from the photo.

    Raises:
        ModuleNotFoundError: PyTorch is not installed.
    """

    def __init__(self, model, photo, painting):
        import torch

        self.torch = torch
        self.layers = list(self._layers(model))
        photo, painting = (self._tensor(x.transpose(2, 0, 1)[None]) for x in (photo, painting))
        with torch.no_grad():
            self.grams = {name: gram(f) for name, f in self._see(painting).items() if name in STYLE}
            self.target = self._see(photo)[CONTENT]
        self.picture = photo.clone().requires_grad_()

    def _tensor(self, x):
        return self.torch.from_numpy(np.ascontiguousarray(x))

    def _layers(self, model):
        for layer in model.layers[1:]:
            kernel = bias = None
            if "conv" in layer.name:
                kernel, bias = map(self._tensor, layer.get_weights())
                kernel = kernel.permute(3, 2, 0, 1).contiguous()
            yield layer.name, kernel, bias
            if layer.name == CONTENT:
                return

    def _see(self, x):
        functional = self.torch.nn.functional
        mean = self.torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
        x, found = x.flip(1) * 255 - mean, {}
        for name, kernel, bias in self.layers:
            if kernel is None:
                x = functional.max_pool2d(x, 2)
            else:
                x = functional.relu(functional.conv2d(x, kernel, bias, padding=1))
            found[name] = x
        return found

    def evaluate(self):
        """The loss of its picture; the gradient is stored in the picture."""
        with self.torch.no_grad():
            self.picture.clamp_(0, 1)
        self.picture.grad = None
        found = self._see(self.picture)
        apart = [((gram(found[name]) - g) ** 2).mean() for name, g in self.grams.items()]
        loss = 1e-2 / len(STYLE) * sum(apart)
        loss = loss + 1e4 * ((found[CONTENT] - self.target) ** 2).mean()
        loss = loss + 30 * sum(self.picture.diff(dim=d).abs().sum() for d in (2, 3))
        loss.backward()
        return loss

    def run(self, evaluations, every, see):
        """Descend, and call `see` with the picture at the first evaluation and each `every`th."""
        done = itertools.count()

        def closure():
            loss = self.evaluate()
            if next(done) % every == 0:
                see(self.picture.detach().numpy()[0].transpose(1, 2, 0).copy())
            return loss

        options = dict(max_iter=evaluations, max_eval=evaluations, line_search_fn="strong_wolfe")
        options |= dict(tolerance_grad=0, tolerance_change=0)
        self.torch.optim.LBFGS([self.picture], **options).step(closure)


def gram(f):
    f = f.flatten(2)[0]
    return f @ f.T / f.shape[1]
