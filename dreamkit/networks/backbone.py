"""A pretrained network, cut off at the deepest layer asked for.  (Notebook 00.)"""

import difflib
import functools

from ..errors import DreamkitError, ImageError, LayerError, check_choice
from ..startup import keras, tf
from .architectures import ARCHITECTURES
from .fetching import download
from .folding import PRECISIONS, folded, has_bfloat16, in_precision
from .loading import load_weights
from .weights import find_weights

if keras.backend.backend() != "tensorflow":
    raise DreamkitError(
        f"Keras runs on {keras.backend.backend()} here, and dreamkit needs TensorFlow:"
        " set KERAS_BACKEND=tensorflow and restart Python."
    )


class Backbone:
    """A network as a source of features.

    Args:
        model: any functional Keras model from (N, H, W, 3) to anything, H and W free.
        architecture: how to feed it and which of its layers to use by default.
        name: what to call it in messages and settings.
        origin: where its weights came from, in words.
        precision: what to compute in; the model's own when None. See `at`.

    The features are computed by a Keras model that ends at the deepest layer asked for; it is
    built once for each set of layers and kept.

    Introduced in notebook 00.
    """

    def __init__(self, model, architecture, name=None, origin="memory", precision=None):
        self.model, self.architecture = model, architecture
        self.name, self.origin = name or model.name, origin
        self.precision = precision or model.layers[-1].compute_dtype
        self.model.trainable = False
        self._extractors, self._siblings = {}, {self.precision: self}

    def __repr__(self):
        return f"Backbone({self.name!r}, {len(self.model.layers)} layers, weights: {self.origin})"

    def at(self, precision):
        """The same network computing in another precision; features are float32 all the same.

        Args:
            precision: `"float32"`, `"bfloat16"` (8 bits of accuracy instead of 24), or `"auto"`:
                bfloat16 where the processor or GPU computes in it and the network is large enough
                to gain by it, else float32.

        Raises:
            SettingsError: no precision is called that.

        Introduced in notebook 02.

        >>> load_backbone("squeezenet").at("bfloat16").precision
        'bfloat16'
        """
        check_choice("precision", precision, PRECISIONS)
        if precision == "auto":
            pays = self.architecture.half and has_bfloat16()
            precision = "bfloat16" if pays else "float32"
        if precision not in self._siblings:
            sibling = Backbone(self.model, self.architecture, self.name, self.origin, precision)
            sibling._siblings = self._siblings
            self._siblings[precision] = sibling
        return self._siblings[precision]

    @property
    def layers(self):
        """Names of all layers, from the shallowest to the deepest."""
        return tuple(layer.name for layer in self.model.layers)

    def features(self, images, layers):
        """What the network sees at `layers`.

        Args:
            images: (H, W, 3) or (N, H, W, 3), RGB in [0, 1].
            layers: a layer's name, or several.

        Returns:
            {layer: (N, h, w, c) tensor}, in the order asked for.

        Raises:
            LayerError: the network has no such layer.
            ImageError: the picture is too small to reach the deepest layer.

        Introduced in notebook 00.

        >>> net = load_backbone("squeezenet")
        >>> {k: tuple(v.shape) for k, v in net.features(tf.zeros((64, 48, 3)), "fire3").items()}
        {'fire3': (1, 15, 11, 128)}
        """
        layers = (layers,) if isinstance(layers, str) else tuple(layers)
        images = tf.convert_to_tensor(images)
        if images.dtype.is_integer:
            raise ImageError(
                "The picture holds whole numbers: divide by 255 to bring it to [0, 1]."
            )
        if images.shape.rank == 3:
            images = images[tf.newaxis]
        self.extractor(layers)
        self.check_size(images.shape[1:3], layers)
        return {n: tf.cast(f, images.dtype) for n, f in self.raw_features(images, layers).items()}

    def raw_features(self, images, layers):
        """{layer: (N, h, w, c)} of checked images (N, H, W, 3), in the network's own precision.

        Of float64 images the features, too, are float64.
        """
        return self._found(layers, self.extractor(layers), self.architecture.preprocess(images))

    def features_from(self, waist, layers):
        """{layer: (N, h, w, c)} of layers beyond the first waist, from the features there.

        `waist` is (N, h, w, c) in the network's own precision; else as `raw_features`. For a slope,
        the features between two waists are computed again, so that not all are held at once:
        gradient checkpointing (Chen et al. 2016).
        """
        found, (*earlier, last) = {}, self.stretches(layers)
        for start, names in earlier:
            see = functools.partial(self._found, names, self.extractor(names, start))
            found |= tf.recompute_grad(see)(waist)
            waist = found[names[-1]]
        start, names = last
        found |= self._found(names, self.extractor(names, start), waist)
        return {name: found[name] for name in layers}

    def _found(self, layers, extractor, inputs):
        found = extractor(inputs)
        found = found if isinstance(found, list) else [found]  # Keras unwraps a single output
        if inputs.dtype == tf.float64:
            found = [tf.cast(f, tf.float64) for f in found]
        return dict(zip(layers, found, strict=True))

    def extractor(self, layers, start=None):
        """The Keras model to the list of features at `layers`.

        It starts from preprocessed images, or from the features at the layer `start`.
        """
        if (layers, start) not in self._extractors:
            for name in layers:
                self.layer(name)
            with tf.init_scope():  # a graph may be the first to ask
                there = {layer.name for layer in self._folded.layers}
                model = self._folded if there.issuperset(layers) else self._unfolded
                outputs = [model.get_layer(name).output for name in layers]
                begin = model.get_layer(start).output if start else model.inputs[0]
                self._extractors[layers, start] = keras.Model(begin, outputs)
        return self._extractors[layers, start]

    def split(self, layers):
        """Names of those layers up to the network's waist, and of those beyond it: two tuples.

        Where there are any beyond, the waist is among the first. Raises ValueError for a name that
        is no layer's.

        For pictures larger than those of notebook 03.

        >>> load_backbone("squeezenet").split(("conv1", "fire6"))
        (('conv1', 'pool3'), ('fire6',))
        """
        names, waist = self.layers, self.architecture.waists[:1]
        end = names.index(*waist) if waist else len(names)
        deep = tuple(name for name in layers if names.index(name) > end)
        shallow = (name for name in layers if name not in deep)
        return tuple(dict.fromkeys([*shallow, *waist] if deep else shallow)), deep

    def stretches(self, deep):
        """The way from the first waist to the deepest of some layers, from one waist to the next.

        Args:
            deep: names of layers beyond the first waist.

        Returns:
            List of (waist, names of the layers asked for up to the next); the last of these names
            is that of the next waist, or of the deepest layer.

        Raises ValueError for a name that is no layer's.

        For pictures larger than those of notebook 03.

        >>> load_backbone("squeezenet").stretches(("fire6", "fire8"))
        [('pool3', ('fire6', 'fire8'))]
        """
        depth = self.layers.index
        deepest = max(deep, key=depth)
        starts = [name for name in self.architecture.waists if depth(name) < depth(deepest)]
        way = []
        for start, end in zip(starts, [*starts[1:], deepest], strict=True):
            names = {end} | {name for name in deep if depth(start) < depth(name) <= depth(end)}
            way.append((start, tuple(sorted(names, key=depth))))
        return way

    @functools.cached_property
    def _folded(self):
        """The network as it is fastest."""
        return in_precision(folded(self.model), self.precision)

    @functools.cached_property
    def _unfolded(self):
        """The network with every layer there is."""
        return in_precision(self.model, self.precision)

    def layer(self, name):
        """The Keras layer called `name`, or a `LayerError` that names near ones."""
        if name not in self.layers:
            near = difflib.get_close_matches(str(name), self.layers, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "see `.layers` for the names."
            raise LayerError(f"{self.name} has no layer {name!r}: {hint}")
        return self.model.get_layer(name)

    def receptive_field(self, layer):
        """How many pixels across one feature at `layer` looks at.

        >>> load_backbone("squeezenet").receptive_field("fire2")
        15
        """
        return self._geometry(layer)[0]

    def stride(self, layer):
        """How many pixels the view moves from one feature at `layer` to its neighbour.

        >>> load_backbone("squeezenet").stride("fire2")
        4
        """
        return self._geometry(layer)[1]

    def reach(self, layer):
        """How many pixels before and after its own a feature at `layer` looks, at most.

        Feature number g, at stride s, sees the pixels from g·s − before to g·s + after.
        """
        return self._geometry(layer)[2:]

    def _geometry(self, layer):
        self.layer(layer)
        return self._geometries[layer]

    @functools.cached_property
    def _sources(self):
        """{layer: the layers it reads from}; empty for the input."""
        makers = {id(layer.output): layer.name for layer in self.model.layers}
        sources = {}
        for layer in self.model.layers:
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            sources[layer.name] = [makers[id(x)] for x in inputs if makers[id(x)] != layer.name]
        return sources

    @functools.cached_property
    def _geometries(self):
        """{layer: (receptive field, stride, before, after)}, walked from the input on.

        A window of k pixels and step s widens the field by (k - 1) strides and multiplies the
        stride by s (Araujo, Norris and Sim 2019); where branches meet, the widest counts. Padding
        moves a window back, by how much may depend on the size: the widest counts again.
        """
        geometry = {}
        for name in self.layers:
            known = [geometry[source] for source in self._sources[name]] or [(1, 1, 0, 0)]
            field_, stride, before, after = map(max, zip(*known, strict=True))
            kernel, step, padding = _window(self.layer(name))
            back = (0, 0) if padding == "valid" else (max(kernel - step, 0) // 2, (kernel - 1) // 2)
            geometry[name] = (
                field_ + (kernel - 1) * stride,
                stride * step,
                before + back[1] * stride,
                after + (kernel - 1 - back[0]) * stride,
            )
        return geometry

    @functools.cache  # noqa: B019 (backbones live as long as the process)
    def smallest(self, layer, side=1):
        """The shortest picture side, in px, that gives `side` features at `layer`.

        >>> load_backbone("squeezenet").smallest("fire9")
        29
        """
        kernel, step, padding = _window(self.layer(layer))
        inner = (side - 1) * step + (kernel if padding == "valid" else 1)
        return max((self.smallest(name, inner) for name in self._sources[layer]), default=side)

    def check_size(self, size, layers, name="the picture", side=1):
        """Raise an `ImageError` if (height, width) gives no `side` features; None passes."""
        smallest = max(self.smallest(layer, side) for layer in layers)
        if None not in tuple(size) and min(size) < smallest:
            raise ImageError(
                f"{name[:1].upper()}{name[1:]} is {size[1]}×{size[0]} px, too small for"
                f" {self.name}: give it at least {smallest} px on its shorter side."
            )


def _window(layer):
    """(kernel, step, padding) of a layer that looks at a window; (1, 1, "same") of all others."""
    kernel = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None) or (1,)
    step = getattr(layer, "strides", None) or (1,)
    return max(kernel), max(step), getattr(layer, "padding", "same")


def load_backbone(name, weights=None):
    """Load a pretrained network as a source of features; the second call gives the same object.

    Args:
        name: `"vgg19"`, `"vgg16"`, `"inception_v3"` or `"squeezenet"`; a `Backbone` is given back.
        weights: path of a weights file, or None to look in the usual places (see `find_weights`).

    Returns:
        A `Backbone`. One line tells where its weights came from.

    Raises:
        SettingsError: no network is called that.
        WeightsError: its weights are nowhere to be had, or damaged.

    Sources: Simonyan and Zisserman 2015 (VGG), Szegedy et al. 2016 (Inception v3), Iandola et
    al. 2016 (SqueezeNet). Introduced in notebook 00.

    >>> load_backbone("squeezenet").name
    'squeezenet'
    """
    if isinstance(name, Backbone):
        return name
    return _load(find_weights(name, weights))


@functools.lru_cache
def _load(file):
    architecture = ARCHITECTURES[file.name]
    if file.path is None:
        model, file = download(file.name, architecture.build)
    else:
        model = architecture.build()
        load_weights(model, file.path)
    print(file)
    return Backbone(model, architecture, file.name, file.origin)
