"""The least that a step can cost: the network forward and back, and nothing else."""

from dreamkit.objectives import layers_by_backbone
from dreamkit.startup import tf


def bare_pass(objective):
    """Compiled: picture (H, W, 3) → Σ mean(features) of an objective's layers, and its gradient."""
    ((backbone, layers),) = layers_by_backbone(objective.terms).items()
    extractor = backbone.extractor(layers)

    @tf.function
    def step(picture):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            seen = extractor(backbone.architecture.preprocess(picture[tf.newaxis]))
            total = tf.add_n([tf.reduce_mean(tf.cast(f, tf.float32)) for f in seen])
        return total, tape.gradient(total, picture)

    return step
