"""Features and scores for tests to compare with, from separate Keras models in float64."""

import numpy as np

from dreamkit.startup import keras


def features_of(network, scaled, layers):
    """Features in float64 from a separate Keras model, for a preprocessed input."""
    outputs = {name: network.model.get_layer(name).output for name in layers}
    features = keras.Model(network.model.inputs[0], outputs)(scaled[np.newaxis])
    return {name: np.asarray(value[0], "float64") for name, value in features.items()}


def toy_features(network, picture, *layers):
    """Features of the toy network, whose preprocessing is 2x − 1."""
    return features_of(network, 2 * np.asarray(picture, "float64") - 1, layers)


def value(score, picture):
    return float(score(picture)[0])
