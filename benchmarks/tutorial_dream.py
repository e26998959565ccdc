"""The loop of TensorFlow's deep-dream tutorial with its tiles, from its published settings.

https://www.tensorflow.org/tutorials/generative/deepdream: layers mixed3 and mixed5, tiles of
512 px on a rolled picture, steps of 0.01 along the gradient over its standard deviation.
"""

import time

import keras
import tensorflow as tf

TILE = 512


def run(model, image, sizes, steps):
    """(seconds, picture in [-1, 1]) of the tutorial's loop; its tracing is left out."""
    outputs = [model.get_layer(name).output for name in ("mixed3", "mixed5")]
    network = keras.Model(model.input, outputs)

    @tf.function(
        input_signature=[tf.TensorSpec([None, None, 3]), tf.TensorSpec([2], tf.int32)],
    )
    def tiled_gradient(picture, size):
        shift = tf.random.uniform([2], -TILE, TILE, tf.int32)
        rolled = tf.roll(picture, shift, [0, 1])
        gradient = tf.zeros_like(rolled)
        rows, columns = tf.range(0, size[0], TILE)[:-1], tf.range(0, size[1], TILE)[:-1]
        rows = rows if tf.size(rows) > 0 else tf.constant([0])
        columns = columns if tf.size(columns) > 0 else tf.constant([0])
        for y in rows:
            for x in columns:
                with tf.GradientTape() as tape:
                    tape.watch(rolled)
                    tile = rolled[y : y + TILE, x : x + TILE]
                    loss = tf.add_n([tf.reduce_mean(f) for f in network(tile[None])])
                gradient = gradient + tape.gradient(loss, rolled)
        gradient = tf.roll(gradient, -shift, [0, 1])
        return gradient / (tf.math.reduce_std(gradient) + 1e-8)

    picture = tf.constant(image * 2 - 1)
    tiled_gradient(picture, tf.shape(picture)[:2])
    started = time.perf_counter()
    for size in sizes:
        picture = tf.image.resize(picture, size)
        for _ in range(steps):
            gradient = tiled_gradient(picture, tf.constant(size))
            picture = tf.clip_by_value(picture + 0.01 * gradient, -1, 1)
    return time.perf_counter() - started, picture.numpy()
