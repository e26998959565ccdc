"""A pretrained network, cut off at the deepest layer asked for.  (Notebook 00.)"""

import difflib
import functools

from ..errors import DreamkitError, ImageError, LayerError, check_choice
from ..startup import keras, tf
from .architectures import ARCHITECTURES
from .fetching import download
from .folding import folded
from .loading import load_weights
from .precision import PRECISIONS, has_bfloat16, in_precision
from .receptive_field import Geometry
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
        precision: what to compute in; the model's own when None. See `with_precision`.

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

    def with_precision(self, precision):
        """The same network computing in another precision; features are float32 all the same.

        Args:
            precision: `"float32"`, `"bfloat16"` (8 bits of accuracy instead of 24), or `"auto"`:
                bfloat16 where the processor or GPU computes in it and the network is large enough
                to gain by it, else float32.

        Raises:
            SettingsError: no precision is called that.

        Introduced in notebook 02.

        >>> load_backbone("squeezenet").with_precision("bfloat16").precision
        'bfloat16'
        """
        check_choice("precision", precision, PRECISIONS)
        if precision == "auto":
            pays = self.architecture.bfloat16_pays and has_bfloat16()
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

    def raw_features(self, images, layers, start=None):
        """{layer: (N, h, w, c)} of checked images (N, H, W, 3), in the network's own precision.

        Features of float64 images are float64, too. With `start`, `images` are the features at the
        layer of that name.
        """
        inputs = images if start else self.architecture.preprocess(images)
        found = self.extractor(layers, start)(inputs)
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
        return self._field(layer).size

    def stride(self, layer):
        """How many pixels that window moves from one feature at `layer` to its neighbour.

        >>> load_backbone("squeezenet").stride("fire2")
        4
        """
        return self._field(layer).stride

    def halo(self, layer):
        """How many pixels before and after its own a feature at `layer` looks, at most.

        Feature number g, at stride s, sees the pixels from g·s − before to g·s + after.
        """
        return self._field(layer).before, self._field(layer).after

    def _field(self, layer):
        self.layer(layer)
        return self._geometry.fields[layer]

    def smallest(self, layer, side=1):
        """The shortest picture side, in px, that gives `side` features at `layer`.

        >>> load_backbone("squeezenet").smallest("fire9")
        29
        """
        self.layer(layer)
        return self._geometry.smallest(layer, side)

    @functools.cached_property
    def _geometry(self):
        return Geometry(self.model)

    def check_size(self, size, layers, name="the picture", side=1):
        """Raise an `ImageError` if (height, width) gives no `side` features; None passes."""
        smallest = max(self.smallest(layer, side) for layer in layers)
        if None not in tuple(size) and min(size) < smallest:
            raise ImageError(
                f"{name[:1].upper()}{name[1:]} is {size[1]}×{size[0]} px, too small for"
                f" {self.name}: give it at least {smallest} px on its shorter side."
            )


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
