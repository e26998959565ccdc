"""Convolutions computed as gradients, which is faster on processors with AVX2 but no AVX-512.

For one picture in float32, TensorFlow hands oneDNN the kernel in the layout it happens to have. For
that layout oneDNN has fast code with AVX-512, but with AVX2 it takes two to three times as long as
for a convolution's gradient, where it may choose the layout itself. But the gradient of a
convolution with respect to its input is another convolution, with each kernel rotated by 180° and
its two channel axes swapped. So a convolution is the gradient of its mirror image.
"""

import os

from ..startup import keras, tf
from ..system.processor import SWITCH, stops_at_avx2
from .devices import gpu


def mirrors_pay():
    """True if `MirroredConv2D` is the faster layer here: with AVX2, oneDNN, and no GPU."""
    return not gpu() and os.environ.get(SWITCH) == "1" and stops_at_avx2()


class MirroredConv2D(keras.layers.Conv2D):
    """A `Conv2D` of frozen kernels that gives the same features, computed as a gradient."""

    def convolution_op(self, inputs, kernel):
        return convolve(inputs, tf.convert_to_tensor(kernel))


def mirrorable(layer):
    """True for a layer that `MirroredConv2D` can replace, and for which it is faster."""
    return (
        type(layer) is keras.layers.Conv2D
        and layer.padding == "same"
        and max(layer.strides) == max(layer.dilation_rate) == layer.groups == 1
        and all(length % 2 for length in layer.kernel_size)
        and max(layer.kernel_size) > 1  # else it is a product of matrices
    )


def convolve(images, kernel):
    """`tf.nn.conv2d(images, kernel, 1, "SAME")` for kernels of odd sizes, which get no gradient.

    Args:
        images: (N, H, W, c), float32.
        kernel: (h, w, c, d), float32.

    Returns:
        (N, H, W, d), float32.
    """
    mirrored = tf.transpose(tf.reverse(kernel, axis=[0, 1]), [0, 1, 3, 2])

    @tf.custom_gradient
    def convolved(images):
        return _as_gradient(images, mirrored), lambda gradient: _as_gradient(gradient, kernel)

    return convolved(images)


def _as_gradient(images, kernel):
    """The gradient of a convolution with `kernel`, (h, w, d, c), where its output's is `images`."""
    size = tf.concat([tf.shape(images)[:3], kernel.shape[2:3]], axis=0)
    return tf.nn.conv2d_transpose(images, kernel, size, strides=1, padding="SAME")
