"""One rule for each argument's name, wherever it occurs.  (Notebook 00.)"""

from . import kinds
from .kinds import MAX_SIDE, MOST, MOST_STEPS, number

RULES = dict(
    # pictures
    image=kinds.picture,
    content=kinds.picture,
    style=kinds.pictures,
    init=kinds.first_picture,
    guide=kinds.picture,
    mask=kinds.picture,
    content_mask=kinds.picture,
    style_mask=kinds.masks_of_styles,
    dream_mask=kinds.picture,
    images=kinds.titled_pictures,
    photo=kinds.opened,
    painting=kinds.opened,
    painted=kinds.opened,
    # networks, layers, channels
    backbone=kinds.network,
    style_backbone=kinds.network,
    dream_backbone=kinds.network,
    model=kinds.keras_model,
    architecture=kinds.network_plan,
    layer=kinds.text,
    layers=kinds.layers,
    content_layers=kinds.averaged_layers,
    style_layers=kinds.averaged_layers,
    channel=kinds.channels,
    label=kinds.label,
    border=number(0, MAX_SIDE),
    # scores and what they are made of
    objective=kinds.score,
    score=kinds.sum_of_terms,
    down=kinds.sum_of_terms,
    up=kinds.sum_of_terms,
    term=kinds.one_term,
    parts=kinds.weighted_terms,
    features=kinds.numbers("(N, H, W, C)", 4),
    gradient=kinds.numbers("(H, W, 3)", 3),
    # how much of each
    content_weight=number(-1e12, 1e12),
    style_weight=number(-1e12, 1e12),
    tv_weight=number(-1e12, 1e12),
    preserve_color=kinds.word("match"),
    strength=number(0.0, 1),
    balance=number(-1e6, 1e6),
    temporal=number(0.0, 1e6),
    style_scale=number(0.01, 100),
    # sizes
    size=kinds.longest_side,
    smallest=number(1, MAX_SIDE),
    octaves=number(1, MOST),
    octave_scale=number(1.01, 100),
    tile=kinds.tile_side,
    # steps
    steps=kinds.several_steps,
    octave_steps=kinds.several_steps,
    frame_steps=number(1, MOST_STEPS),
    learning_rate=kinds.above_zero(1),
    smooth=number(0, 32),
    levels=number(0, 32),
    jitter=number(0, MAX_SIDE),
    pad=number(0, 1024),
    rotate=number(0.0, 180.0),
    zoom=number(0.0, 1.0),
    seed=number(0, 2**128),
    # films and figures
    frames=number(2, MOST_STEPS),
    keyframes=number(1, MOST),
    fps=number(0.1, 120),
    start=number(0, 2**31),
    stop=number(1, 2**31),
    every=number(1, MOST_STEPS),
    hold=number(0.0, 60),
    count=number(1, 10 * MOST),
    columns=number(1, MOST),
    runs=kinds.runs,
    # names and files
    name=kinds.text,
    origin=kinds.text,
    names=kinds.several_names,
    phase=kinds.text,
    path=kinds.path,
    out=kinds.path,
    folder=kinds.path,
    film=kinds.film,
    checkpoint=kinds.state_file,
    # everything else
    callback=kinds.function,
    profile=kinds.profile,
)


def by_default(default):
    """The rule for an argument that `RULES` does not name, by the type of its default."""
    if isinstance(default, bool):
        return kinds.flag
    if isinstance(default, int | float):
        return kinds.weight
    if isinstance(default, str):
        return kinds.word(default)
    return kinds.anything
