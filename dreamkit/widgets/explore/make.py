"""Makes the pictures that the explorable figures show: `python -m dreamkit.widgets.explore.make`.

    python -m dreamkit.widgets.explore.make [photo] [gram] [style] [dream] [game]

Each writes a strip of small pictures, and what they show as JSON, into `data/` next to this file.
The strips need VGG-19 and Inception v3, and about an hour on two cores.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np

from ..rounds import PAIRS, SIDE, cut, responses

DATA = Path(__file__).parent / "data"


def write(name, pictures, about, quality=70, columns=12):
    """Write pictures of one size as a sheet, row by row, with its description as JSON."""
    from PIL import Image

    height, width = pictures[0].shape[:2]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * height, columns * width, *pictures[0].shape[2:]), "uint8")
    for n, picture in enumerate(pictures):
        y, x = n // columns * height, n % columns * width
        sheet[y : y + height, x : x + width] = np.round(255 * np.clip(picture, 0, 1))
    suffix = ".png" if quality is None else ".webp"
    options = {} if quality is None else {"quality": quality, "method": 6}
    Image.fromarray(sheet).save(DATA / f"{name}{suffix}", **options)
    about |= dict(sheet=f"{name}{suffix}", width=width, height=height, columns=columns)
    (DATA / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def make_photo():
    """The photo on which receptive fields are drawn, and the fields of VGG-19's layers."""
    import dreamkit as dk
    from dreamkit.networks.receptive_field import Geometry

    geometry = Geometry(dk.load_backbone("vgg19").model)
    layers = []
    for name, layer in geometry.layers.items():
        if not name.startswith("block"):
            continue
        window = getattr(layer, "kernel_size", None) or layer.pool_size
        field = geometry.fields[name]._asdict()
        layers.append(dict(name=name, kernel=max(window), step=max(layer.strides), **field))
    write("photo", [dk.load_image("china", 256)], dict(layers=layers))


def make_gram():
    """Eight channels of VGG-19 on stained glass: the busiest, and those that differ most."""
    import dreamkit as dk

    layer, edge = "block2_conv1", 6  # features near the edge see the zeros around the picture
    picture = dk.load_image("stained_glass", 264)
    maps = dk.load_backbone("vgg19").features(picture, layer)[layer][0].numpy()
    maps = maps[edge:-edge, edge:-edge]
    height, width = maps.shape[0] // 3, maps.shape[1] // 3
    maps = maps[: 3 * height, : 3 * width].reshape(height, 3, width, 3, -1).mean((1, 3))
    picture = picture[2 * edge :, 2 * edge :][: 6 * height, : 6 * width]
    channels = choose_channels(maps, 8)
    chosen = [maps[..., c] / maps[..., channels].max() for c in channels]
    write("gram_picture", [dk.resize(picture, (6 * height * 2 // 3, 6 * width * 2 // 3))], {}, 55)
    (DATA / "gram_picture.json").unlink()
    about = dict(layer=layer, channels=channels, start=[0, 1], picture="gram_picture.webp")
    write("gram", chosen, about, quality=None)


def choose_channels(maps, count):
    """The liveliest channel, then, one by one, those least like the ones chosen so far."""
    flat = maps.reshape(-1, maps.shape[-1])
    lively = np.argsort(-flat.std(0))[:40]
    units = flat[:, lively] / (np.linalg.norm(flat[:, lively], axis=0) + 1e-9)
    alike = units.T @ units
    chosen = [0]
    while len(chosen) < count:
        rest = [n for n in range(len(lively)) if n not in chosen]
        chosen.append(min(rest, key=lambda n: alike[n, chosen].max()))
    return [int(lively[n]) for n in chosen]


def make_style():
    """Style transfers for every content layer, content weight and style weight."""
    import dreamkit as dk

    photo, painting = dk.load_image("astronaut", 112), dk.load_image("night_flow", 224)
    network = dk.load_backbone("vgg19")
    layers = ["block1_conv2", "block4_conv2", "block5_conv2"]
    contents, styles = [0, 2, 20], [4, 40, 400]
    made = {}
    for layer, content, style in itertools.product(layers, contents, styles):
        key = layer if content else None, content, style  # without content, no layer counts
        if key not in made:
            weights = dict(content_layers=layer, content_weight=content, style_weight=style)
            weights |= dict(quality="gatys")
            run = dk.style_transfer(
                photo, painting, network, 60, octaves=1, progress=False, **weights
            )
            made[key] = dk.resize(run.image, (96, 96))
            print(*key, flush=True)
    cells = itertools.product(layers, contents, styles)
    pictures = [made[layer if content else None, content, style] for layer, content, style in cells]
    about = dict(layers=layers, contents=contents, styles=styles)
    write("style", pictures, about, 35, columns=len(styles) * len(contents))


def make_dream():
    """One dream three ways, step by step and octave by octave."""
    import dreamkit as dk

    photo = dk.load_image("coffee", 224)
    score = dk.Dream(dk.load_backbone("inception_v3"))
    sizes = dk.octave_sizes(photo.shape[:2], 3)
    shown = [0, 6, 14, 30]
    pictures = []
    for way in ("raw", "normalised", "jittered"):
        picture, smaller, scale = None, None, None
        for size in sizes:
            base = dk.resize(photo, size)
            start = (
                base
                if picture is None
                else dk.resize(picture, size) + base - dk.resize(smaller, size)
            )
            picture, smaller = np.clip(start, 0, 1), base
            for step in range(shown[-1] + 1):
                if step in shown:
                    pictures.append(dk.resize(picture, (96, 128)))
                picture, scale = _climb(picture, score, way, scale, step)
            print(way, size, flush=True)
    about = dict(ways=["raw", "normalised", "jittered"], sizes=sizes, steps=shown, photo="coffee")
    write("dream", pictures, about, 50, columns=len(shown) * len(sizes))


def make_game():
    """What channels of Inception v3 like and dislike, and crops of photos for each to choose from.

    Of each layer five channels are drawn at random, and the first two are made: so more can be made
    later, and these stay.
    """
    import dreamkit as dk

    network, draw = dk.load_backbone("inception_v3"), np.random.default_rng(2021)
    crops = [crop for name in dk.samples("photo") for crop in photo_crops(name)]
    pictures, chosen = [cut(*crop) for crop in crops], []
    for layer in ("mixed2", "mixed4", "mixed5", "mixed7"):
        drawn = draw.choice(network.layer(layer).output.shape[-1], 5, replace=False)[:2].tolist()
        values = responses(network, layer, drawn, pictures)
        for turn, (channel, own) in enumerate(zip(drawn, values.T, strict=True)):
            found = dict(layer=layer, channel=channel) | photo_pairs(crops, own)
            chosen.append((turn, found))
    channels = [found for _, found in sorted(chosen, key=lambda pair: pair[0])]
    made = {"pixels": [], "spectrum": []}
    for found in channels:
        for canvas, negative in itertools.product(made, (False, True)):
            options = dict(size=112, canvas=canvas, negative=negative, seed=1, progress=False)
            run = dk.visualise(network, found["layer"], found["channel"], 64, **options)
            made[canvas].append(dk.resize(run.image, (96, 96)))
        print(found["layer"], found["channel"], flush=True)
    for canvas, grown in made.items():
        about = dict(canvas=canvas, source="dreamkit.visualise, Inception v3", licence="CC0")
        write(f"game_{canvas}", grown, about, 60, columns=10)
    about = dict(network=network.name, size=SIDE, channels=channels)
    (DATA / "game.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def photo_crops(name):
    """(photo, left, top, side) of squares of three sizes, spread evenly over a photo."""
    import dreamkit as dk

    height, width = dk.load_image(name).shape[:2]
    crops = set()
    for share in (1.0, 0.6, 0.4):
        side = int(share * min(height, width))
        for y, x in itertools.product((0, 0.5, 1), repeat=2):
            crops.add((name, int(x * (width - side)), int(y * (height - side)), side))
    return sorted(crops)


def photo_pairs(crops, values):
    """Pairs of crops, one that excites a channel and one that doesn't, and a pair that helps.

    Of each photo, only the crop that excites it most and the one that excites it least compete,
    and each photo is in one pair only.
    """
    best, worst = {}, {}
    for number in np.argsort(-values):
        best.setdefault(crops[number][0], number)
        worst[crops[number][0]] = number
    exciting = list(best)[: PAIRS + 1]
    others = sorted(set(worst) - set(exciting), key=lambda name: values[worst[name]])
    pairs = [
        [[*crops[number], round(float(values[number]), 3)] for number in (best[one], worst[other])]
        for one, other in zip(exciting, others, strict=False)
    ]
    first, helping, *rest = pairs
    return dict(pairs=[first, *rest], photos=helping)


def _climb(picture, score, way, scale, step):
    """One step uphill; a raw gradient is divided by what suited the very first step."""
    from dreamkit.startup import tf

    shift = (
        np.random.default_rng(step).integers(-16, 17, 2) if way == "jittered" else np.zeros(2, int)
    )
    rolled = tf.constant(np.roll(picture, shift, axis=(0, 1)))
    with tf.GradientTape() as tape:
        tape.watch(rolled)
        total, _ = score(rolled)
    gradient = np.roll(tape.gradient(total, rolled).numpy(), -shift, axis=(0, 1))
    if scale is None or way != "raw":
        scale = gradient.std() + 1e-20
    return np.clip(picture + 0.01 * gradient / scale, 0, 1), scale


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    for chosen in sys.argv[1:] or ["photo", "gram", "style", "dream", "game"]:
        globals()[f"make_{chosen}"]()
