"""A pretrained network, truncated at the deepest layer requested.  (Notebook 01.)"""

import difflib
import functools

from ..arguments import kinds
from ..arguments.checked import checked
from ..errors import DreamkitError, ImageError, LayerError, SettingsError, check_choice, shown
from ..startup import check_process, keras, tf
from ..system.console import say
from .architectures import ARCHITECTURES, keras_defaults
from .fetching import download
from .folding import folded
from .loading import load_weights
from .precision import PRECISIONS, check_bfloat16, fastest_precision, in_precision
from .receptive_field import Geometry
from .rescaling import feature_scales, rescaled, unscalable
from .weights import find_weights

if keras.backend.backend() != "tensorflow":
    raise DreamkitError(
        f"Keras is using {keras.backend.backend()}, but dreamkit needs TensorFlow:"
        " set KERAS_BACKEND=tensorflow and restart Python."
    )


class Backbone:
    """A network as a source of features.

    Args:
        model: any functional Keras model with input (N, H, W, 3) and free H and W.
        architecture: an `Architecture`: how to feed it and its default layers.
        name: what to call it in messages and settings; None for the model's name.
        origin: where its weights came from, in words.
        precision: what to compute in; None for the model's own. See `with_precision`.

    Features come from a Keras model that ends at the deepest layer requested, built once for each
    set of layers.

    Introduced in notebook 01.
    """

    @checked(precision=kinds.text)
    def __init__(self, model, architecture, name=None, origin="memory", precision=None):
        self.model, self.architecture = model, architecture
        self.name, self.origin = name or model.name, origin
        self.precision = precision or model.layers[-1].compute_dtype
        self.model.trainable = False
        self._extractors, self._siblings = {}, {self.precision: self}

    def __repr__(self):
        return f"Backbone({self.name!r}, {len(self.model.layers)} layers, weights: {self.origin})"

    def with_precision(self, precision):
        """The same network computing in another precision; its features are still float32.

        Args:
            precision: `"float32"`, `"bfloat16"` (8 significant bits instead of 24), `"float16"`
                (11 bits, for numbers up to 65,504; see `rescaling.py`), or `"auto"`: bfloat16 on
                NVIDIA GPUs since Ampere and on processors that have it under Linux, float16 on GPUs
                since Volta, if the network is large enough to benefit; else float32.

        Returns:
            A `Backbone` with this one's weights.

        Raises:
            SettingsError: an unknown precision, or float16 for a network with layers other than
                convolutions, batch normalisations, ReLU, pooling and sums.

        Introduced in notebook 03.

        >>> load_backbone("squeezenet").with_precision("bfloat16").precision
        'bfloat16'
        """
        check_choice("precision", precision, PRECISIONS)
        if precision == "auto":
            precision = fastest_precision() if self.architecture.half_pays else "float32"
            if precision == "float16" and unscalable(self.model):
                precision = "float32"
        if precision == "float16" and (layer := unscalable(self.model)):
            raise SettingsError(
                f"{self.name} cannot compute in float16, because its layer {layer.name} cannot be"
                ' rescaled: choose precision="float32".'
            )
        if precision == "bfloat16":
            check_bfloat16()
        if precision not in self._siblings:
            sibling = Backbone(self.model, self.architecture, self.name, self.origin, precision)
            sibling._siblings = self._siblings
            self._siblings[precision] = sibling
        return self._siblings[precision]

    @property
    def layers(self):
        """Names of all layers, from the shallowest to the deepest."""
        return tuple(layer.name for layer in self.model.layers)

    @checked(images=kinds.numbers("(H, W, 3) or (N, H, W, 3)", 3, 4))
    def features(self, images, layers):
        """The network's features at `layers`.

        Args:
            images: (H, W, 3) or (N, H, W, 3), RGB in [0, 1].
            layers: a layer's name, or several.

        Returns:
            {layer: (N, h, w, c) tensor}, in the order requested.

        Raises:
            LayerError: the network has no such layer.
            ImageError: the picture holds integers, or is too small for the layers.

        Introduced in notebook 01.

        >>> net = load_backbone("squeezenet")
        >>> {k: tuple(v.shape) for k, v in net.features(tf.zeros((64, 48, 3)), "fire3").items()}
        {'fire3': (1, 15, 11, 128)}
        """
        check_process()
        layers = (layers,) if isinstance(layers, str) else tuple(layers)
        images = tf.convert_to_tensor(images)
        if images.dtype.is_integer:
            raise ImageError("The picture holds integers: divide by 255 to scale it to [0, 1].")
        if images.shape.rank == 3:
            images = images[tf.newaxis]
        self.extractor(layers)
        self.check_size(images.shape[1:3], layers)
        return {n: tf.cast(f, images.dtype) for n, f in self.raw_features(images, layers).items()}

    def raw_features(self, images, layers, start=None):
        """{layer: (N, h, w, c)} of checked images (N, H, W, 3), in the network's own precision.

        Features of float64 images are float64, and those of a float16 network float32, which has
        room for them. With `start`, `images` are the features at the layer of that name.
        """
        check_process()
        inputs = images if start else self.architecture.preprocess(images)
        scales = self._scales
        if scales:
            inputs = inputs / scales[start]
        outputs = self.extractor(layers, start)(inputs)
        outputs = outputs if isinstance(outputs, list) else [outputs]  # Keras unwraps a single one
        if inputs.dtype == tf.float64:
            outputs = [tf.cast(f, tf.float64) for f in outputs]
        features = dict(zip(layers, outputs, strict=True))
        if scales:
            features = {n: tf.cast(f, inputs.dtype) * scales[n] for n, f in features.items()}
        return features

    def extractor(self, layers, start=None):
        """The Keras model that computes the list of features at `layers`.

        Its input is preprocessed images, or the features at the layer `start`.
        """
        if (layers, start) not in self._extractors:
            for name in layers:
                self.layer(name)
            with tf.init_scope(), keras_defaults():  # the first call may come from inside a graph
                available = {layer.name for layer in self._folded.layers}
                model = self._folded if available.issuperset(layers) else self._unfolded
                inputs = model.get_layer(start).output if start else model.inputs[0]
                outputs = [model.get_layer(name).output for name in layers]
                self._extractors[layers, start] = keras.Model(inputs, outputs)
        return self._extractors[layers, start]

    @functools.cached_property
    def _folded(self):
        """The faster network, without the layers that folding removes."""
        return self._converted(folded(self.model))

    @functools.cached_property
    def _unfolded(self):
        """The network with all its layers."""
        return self._converted(self.model)

    def _converted(self, model):
        """The network, or its folded version, in this backbone's precision and scales."""
        return in_precision(
            rescaled(model, self._scales) if self._scales else model, self.precision
        )

    @functools.cached_property
    def _scales(self):
        """{layer: what its features are divided by} in float16; empty in other precisions."""
        if self.precision != "float16":
            return {}
        with keras_defaults():
            return feature_scales(self.model, self.architecture.preprocess)

    def layer(self, name):
        """The Keras layer called `name`, or a `LayerError` that suggests similar names."""
        if name not in self.layers:
            near = difflib.get_close_matches(str(name)[:100], self.layers, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "see `.layers` for the names."
            raise LayerError(f"{self.name} has no layer {shown(name)}: {hint}")
        return self.model.get_layer(name)

    def receptive_field(self, layer):
        """Width of the receptive field of a feature at `layer`, px.

        >>> load_backbone("squeezenet").receptive_field("fire2")
        15
        """
        return self._field(layer).size

    def stride(self, layer):
        """How far the receptive field moves from one feature at `layer` to its neighbour, px.

        >>> load_backbone("squeezenet").stride("fire2")
        4
        """
        return self._field(layer).stride

    def halo(self, layer):
        """(before, after), px: feature g sees at most g·stride − before to g·stride + after."""
        return self._field(layer).before, self._field(layer).after

    def _field(self, layer):
        self.layer(layer)
        return self._geometry.fields[layer]

    def smallest(self, layer, side=1):
        """The shortest side of a picture, px, that gives `side` features at `layer`.

        >>> load_backbone("squeezenet").smallest("fire9")
        29
        """
        self.layer(layer)
        return self._geometry.smallest(layer, side)

    @functools.cached_property
    def _geometry(self):
        return Geometry(self.model)

    def feature_count(self, layer, length):
        """The number of features at `layer` along a side of a picture, from its length in px.

        >>> load_backbone("squeezenet").feature_count("fire2", 64)
        15
        """
        self.layer(layer)
        return self._geometry.count(layer, length)

    def check_size(self, size, layers, name="the picture", side=1):
        """Raise an `ImageError` if (height, width) is too small for `side` features at `layers`.

        A side that is None, as in a graph, is not checked.
        """
        smallest = max(self.smallest(layer, side) for layer in layers)
        if None not in tuple(size) and min(size) < smallest:
            raise ImageError(
                f"{name[:1].upper()}{name[1:]} is {size[1]}×{size[0]} px, too small for"
                f" {self.name}: give it at least {smallest} px on its shorter side."
            )


def loaded(name, value):
    """A rule for arguments: a `Backbone`, loaded if it is given by its name."""
    return load_backbone(kinds.network(name, value))


@checked(name=kinds.network, weights=kinds.path)
def load_backbone(name, weights=None):
    """Load a pretrained network, once: later calls return the same object.

    Args:
        name: `"vgg19"`, `"vgg16"`, `"inception_v3"` or `"squeezenet"`; a `Backbone` is returned
            unchanged.
        weights: path of a weights file; None searches the usual places (see `find_weights`).

    Returns:
        A `Backbone`. The first call prints one line that says where its weights came from.

    Raises:
        SettingsError: an unknown network.
        WeightsError: its weights cannot be found, or are damaged.

    Sources: Simonyan and Zisserman 2015 (VGG), Szegedy et al. 2016 (Inception v3), Iandola et
    al. 2016 (SqueezeNet). Introduced in notebook 01.

    >>> load_backbone("squeezenet").name
    'squeezenet'
    """
    check_process()
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
    say(file)
    return Backbone(model, architecture, file.name, file.origin)
