"""Gram matrices: which features fire together, wherever they are.  (Notebook 02.)"""

from .startup import tf


def gram_matrix(features):
    """Gram matrix of feature maps: the mean outer product of the vectors at all positions.

    With F the features of one picture as an (H·W, C) matrix, the result is FᵀF / (H·W). It is
    symmetric, positive semi-definite, and forgets where in the picture anything was.

    Args:
        features: (N, H, W, C) array or tensor.

    Returns:
        (N, C, C) tensor, summed in float32 even if the features have half precision; float64
        stays float64.

    Raises:
        ValueError: the features are not four-dimensional.

    Source: Gatys, Ecker and Bethge 2016, equation 3, divided by H·W so that size does not matter.
    Introduced in notebook 02.

    >>> gram_matrix([[[[1.0, 2.0], [3.0, 4.0]]]]).numpy().tolist()   # (1·1 + 3·3) / 2 = 5, …
    [[[5.0, 7.0], [7.0, 10.0]]]
    """
    features = tf.convert_to_tensor(features)
    if features.shape.rank != 4:
        raise ValueError(f"features must have shape (N, H, W, C), not {features.shape}")
    if features.dtype != tf.float64:
        features = tf.cast(features, tf.float32)
    n, h, w, c = tf.unstack(tf.shape(features))
    f = tf.reshape(features, (n, h * w, c))
    return tf.matmul(f, f, transpose_a=True) / tf.cast(h * w, f.dtype)
