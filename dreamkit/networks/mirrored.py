"""Convolutions computed as gradients, which is faster on processors with AVX2 but no AVX-512.

For a single picture in float32, TensorFlow makes oneDNN take the kernel in TensorFlow's own layout.
With AVX-512, oneDNN has fast code for that layout; with AVX2 alone, it takes two to three times as
long as for a convolution's gradient, where it may choose the layout. Now the gradient with respect
to the input is itself a convolution, with each kernel rotated by 180° and the two channel axes
swapped. So a convolution with stride 1, a kernel of odd size and "same" padding can be computed as
the gradient of its mirror image.

Source: Dumoulin and Visin 2016, chapter 4 (a convolution's gradient is a transposed convolution).
"""

import functools

from ..startup import keras, tf
from ..system.processor import onednn_switched, stops_at_avx2
from .devices import gpu


def mirroring_pays():
    """True if `MirroredConv2D` is the faster layer here: with AVX2, oneDNN, and no GPU."""
    return not gpu() and onednn_switched() is True and stops_at_avx2()


class MirroredConv2D(keras.layers.Conv2D):
    """A `Conv2D` that gives the same features, computed as a gradient; its kernel is frozen."""

    def convolution_op(self, inputs, kernel):
        return convolve(inputs, tf.convert_to_tensor(kernel), self.mirrored)

    @functools.cached_property
    def mirrored(self):
        """The mirrored kernel, computed once when it is first needed, outside any graph."""
        with tf.init_scope():
            return mirror(tf.convert_to_tensor(self.kernel))


def mirrorable(layer):
    """True for a layer that `MirroredConv2D` can replace, and for which it is faster."""
    return (
        type(layer) is keras.layers.Conv2D
        and layer.compute_dtype == "float32"
        and layer.data_format == "channels_last"
        and layer.padding == "same"
        and max(layer.strides) == max(layer.dilation_rate) == layer.groups == 1
        and all(length % 2 for length in layer.kernel_size)
        and max(layer.kernel_size) > 1  # else it is a product of matrices
    )


def mirror(kernel):
    """A kernel (h, w, c, d) rotated by 180°, with its channel axes swapped: (h, w, d, c)."""
    return tf.transpose(tf.reverse(kernel, axis=[0, 1]), [0, 1, 3, 2])


def convolve(images, kernel, mirrored):
    """`tf.nn.conv2d(images, kernel, 1, "SAME")`, with no gradient with respect to the kernel.

    Args:
        images: (N, H, W, c), float32.
        kernel: (h, w, c, d), float32, with odd h and w.
        mirrored: `mirror(kernel)`.

    Returns:
        (N, H, W, d), float32.
    """

    @tf.custom_gradient
    def convolved(images):
        frozen = tf.stop_gradient(kernel)
        return _as_gradient(images, mirrored), lambda gradient: _as_gradient(gradient, frozen)

    return convolved(images)


def _as_gradient(images, kernel):
    """The gradient with respect to its input of a convolution whose output's gradient is `images`.

    `kernel` is that convolution's, (h, w, d, c).
    """
    size = tf.concat([tf.shape(images)[:3], kernel.shape[2:3]], axis=0)
    return tf.nn.conv2d_transpose(images, kernel, size, strides=1, padding="SAME")
