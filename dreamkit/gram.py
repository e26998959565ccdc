"""Gram matrices: which features fire together, wherever they are.  (Notebook 01.)"""

from .startup import tf


def gram_matrix(features):
    """Gram matrix of feature maps: the mean outer product of the feature vectors at all positions.

    With F the features of one picture as an (H·W, C) matrix, the result is FᵀF / (H·W). It is
    symmetric, positive semi-definite, and forgets where in the picture anything was.

    Args:
        features: (N, H, W, C) array or tensor.

    Returns:
        (N, C, C) tensor, summed in float32 even if the features are half precision (float64
        stays float64).

    Raises:
        ValueError: the features are not four-dimensional.

    Source: Gatys, Ecker and Bethge 2016, equation 3, divided by H·W so that size does not matter.
    Introduced in notebook 01.

    >>> gram_matrix([[[[1.0, 2.0], [3.0, 4.0]]]]).numpy().tolist()   # (1·1 + 3·3) / 2 = 5, …
    [[[5.0, 7.0], [7.0, 10.0]]]
    """
    features = tf.convert_to_tensor(features)
    if features.shape.rank != 4:
        raise ValueError(f"features must have shape (N, H, W, C), not {features.shape}")
    products, positions = outer_products(features)
    return products / positions


def outer_products(features):
    """FᵀF of features F, (N, C, C), and the number of positions: what tiles of a picture add up.

    Introduced in notebook 01.
    """
    n, h, w, c = tf.unstack(tf.shape(features))
    products = _products(tf.reshape(features, (n, h * w, c)))
    return products, tf.cast(h * w, products.dtype)


@tf.custom_gradient
def _products(f):
    """FᵀF in float32 or more; its slope F·(U + Uᵀ), in the precision of F.

    That slope takes one product, where TensorFlow by itself takes two.
    """
    exact = widen(f)
    slope = lambda u: tf.matmul(f, tf.cast(u + tf.linalg.matrix_transpose(u), f.dtype))  # noqa: E731
    return tf.matmul(exact, exact, transpose_a=True), slope


def widen(x):
    """A tensor as float32, so that sums lose nothing; float64 stays what it is."""
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


def energy(x):
    """Σx² of a tensor of any shape and precision, a scalar tensor, without a copy of the squares.

    It is summed in float32, of float64 in float64. The content loss is made of it (Gatys, Ecker
    and Bethge 2016, equation 1). For notebook 02.

    >>> float(energy(tf.constant([3.0, 4.0])))
    25.0
    """
    return 2 * tf.nn.l2_loss(widen(x))
