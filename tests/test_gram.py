"""Gram matrices: which features fire together, wherever they are."""

import numpy as np
import pytest

from dreamkit import gram_matrix
from dreamkit.startup import tf


@pytest.fixture
def features():
    """2 pictures of 5 x 7 positions with 6 channels each, float32."""
    return np.random.default_rng(0).normal(0.5, 1, (2, 5, 7, 6)).astype("float32")


def reference(features):
    """Mean outer product of the feature vectors, summed one position at a time in float64."""
    n, h, w, c = features.shape
    gram = np.zeros((n, c, c))
    for picture, y, x in np.ndindex(n, h, w):
        f = features[picture, y, x].astype("float64")
        gram[picture] += np.outer(f, f)
    return gram / (h * w)


def test_gram_matrix_is_the_mean_outer_product_of_features(features):
    np.testing.assert_allclose(gram_matrix(features), reference(features), rtol=1e-5, atol=1e-6)


def test_gram_matrix_of_a_large_map_keeps_five_digits():
    features = np.random.default_rng(1).random((1, 64, 96, 32)).astype("float32")
    expected = np.einsum("nhwc,nhwd->ncd", *[features.astype("float64")] * 2) / (64 * 96)
    np.testing.assert_allclose(gram_matrix(features), expected, rtol=1e-5)


def test_gram_matrix_is_symmetric(features):
    gram = gram_matrix(features).numpy()
    np.testing.assert_allclose(gram, gram.transpose(0, 2, 1), rtol=1e-6)


def test_gram_matrix_is_positive_semi_definite(features):
    few = gram_matrix(features[:, :1, :3])  # three positions, six channels: rank three at most
    eigenvalues = np.linalg.eigvalsh(few.numpy().astype("float64"))
    assert eigenvalues.min() > -1e-6
    assert (eigenvalues[:, -3:] > 1e-3).all()


def test_gram_matrix_forgets_where_things_are(features):
    n, h, w, c = features.shape
    shuffled = np.random.default_rng(2).permutation(features.reshape(n, h * w, c), axis=1)
    moved = gram_matrix(shuffled.reshape(n, w, h, c))
    np.testing.assert_allclose(moved, gram_matrix(features), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("times", [(1, 2), (3, 1), (4, 5)])
def test_gram_matrix_forgets_how_large_the_picture_is(features, times):
    tiled = np.tile(features, (1, *times, 1))
    np.testing.assert_allclose(gram_matrix(tiled), gram_matrix(features), rtol=1e-5, atol=1e-6)


def test_each_picture_of_a_batch_has_its_own_gram_matrix(features):
    both = gram_matrix(features)
    for number in range(2):
        alone = gram_matrix(features[number : number + 1])
        np.testing.assert_allclose(both[number], alone[0], rtol=1e-6)


@pytest.mark.parametrize("half", [tf.float16, tf.bfloat16])
def test_half_precision_features_are_summed_in_float32(half):
    # 300² = 90,000 is infinite in float16, and a sum of 4,096 small squares stalls in both.
    features = tf.fill((1, 64, 64, 2), tf.constant(300.0, half))
    gram = gram_matrix(features)
    assert gram.dtype == tf.float32
    np.testing.assert_allclose(
        gram, np.full((1, 2, 2), float(features[0, 0, 0, 0]) ** 2), rtol=1e-5
    )


def test_double_precision_features_stay_double(features):
    gram = gram_matrix(features.astype("float64"))
    assert gram.dtype == tf.float64
    np.testing.assert_allclose(gram, reference(features), rtol=1e-12, atol=1e-14)


def test_shape_need_not_be_known_when_the_graph_is_traced(features):
    graph = tf.function(gram_matrix, input_signature=[tf.TensorSpec((None, None, None, 6))])
    np.testing.assert_allclose(graph(features), reference(features), rtol=1e-5, atol=1e-6)


def test_one_picture_without_its_batch_is_refused(features):
    with pytest.raises(ValueError, match=r"\(N, H, W, C\), not \(5, 7, 6\)"):
        gram_matrix(features[0])
