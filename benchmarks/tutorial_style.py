"""The loop of TensorFlow's style-transfer tutorial, from its published settings.

https://www.tensorflow.org/tutorials/generative/style_transfer: Adam with rate 0.02, β₁ 0.99 and
ε 0.1; content block5_conv2 × 1e4, style block1_conv1 … block5_conv1 × 1e-2, total variation × 30.
"""

import keras
import tensorflow as tf

CONTENT = "block5_conv2"
STYLE = tuple(f"block{block}_conv1" for block in range(1, 6))


def objective(model, content, style):
    """The tutorial's loss, a function of the picture (1, H, W, 3) in [0, 1]."""
    network = keras.Model(model.input, [model.get_layer(name).output for name in (*STYLE, CONTENT)])
    see = lambda x: network(keras.applications.vgg19.preprocess_input(x * 255.0))  # noqa: E731

    def gram(f):
        shape = tf.shape(f)
        return tf.einsum("bijc,bijd->bcd", f, f) / tf.cast(shape[1] * shape[2], f.dtype)

    grams = [gram(f) for f in see(style[None])[:-1]]
    target = see(content[None])[-1]

    def loss(picture):
        *features, seen = see(picture)
        apart = [tf.reduce_mean((gram(f) - g) ** 2) for f, g in zip(features, grams, strict=True)]
        return (
            1e-2 * tf.add_n(apart) / len(STYLE)
            + 1e4 * tf.reduce_mean((seen - target) ** 2)
            + 30 * tf.reduce_sum(tf.image.total_variation(picture))
        )

    return loss


class Program:
    """The tutorial's loop, starting from the photo, one step at a time."""

    def __init__(self, model, photo, painting):
        self.objective = objective(model, photo, painting)
        self.picture = tf.Variable(photo[None])
        self.adam = keras.optimizers.Adam(0.02, beta_1=0.99, epsilon=1e-1)
        self.adam.build([self.picture])
        self.gradient = tf.function(self._gradient)
        self.gradient(self.picture.value())  # traced before a clock starts

    def _gradient(self, picture):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value = self.objective(picture)
        return tape.gradient(value, picture)

    def step(self):
        self.adam.apply([self.gradient(self.picture.value())], [self.picture])
        self.picture.assign(tf.clip_by_value(self.picture, 0, 1))

    def loss(self, picture=None):
        """The loss of a picture, (H, W, 3) in [0, 1]; None for its own."""
        return float(
            self.objective(self.picture if picture is None else tf.constant(picture[None]))
        )
