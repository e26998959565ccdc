"""Film files: every format keeps its frames, in flat memory, and wrong files are named."""

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from dreamkit import contact_sheet, load_image, save_image, scrub
from dreamkit.errors import ImageError, SettingsError
from dreamkit.film.reading import open_video
from dreamkit.film.reel import FORMATS, Reel, encode

EVERY_FORMAT = pytest.mark.parametrize("suffix", FORMATS)


def gradients(count, height=48, width=64):
    """Smooth pictures whose colours move from frame to frame."""
    rows, columns = np.meshgrid(*(np.linspace(0, 1, n) for n in (height, width)), indexing="ij")
    for number in range(count):
        third = np.full_like(rows, number / max(1, count - 1))
        yield np.stack([rows, columns, third], -1).astype("float32")


def film(folder, suffix=".mp4", count=6, size=(48, 64), fps=10):
    path = folder / f"film{suffix}"
    encode(path, gradients(count, *size), size, fps)
    return path


@EVERY_FORMAT
def test_every_format_keeps_its_frames_and_their_colours(tmp_path, suffix):
    video = open_video(film(tmp_path, suffix))
    assert video.frames == 6
    assert video.fps == pytest.approx(10, rel=0.01)
    frames = list(video)
    assert len(frames) == 6
    for frame, made in zip(frames, gradients(6), strict=True):
        assert frame.shape == made.shape
        assert np.abs(frame - made).mean() < 0.02


@pytest.mark.parametrize("size", [(47, 64), (48, 63), (47, 63)])
def test_an_odd_side_of_an_mp4_gets_one_more_line(tmp_path, size):
    frame = next(iter(open_video(film(tmp_path, size=size))))
    assert frame.shape[:2] == (48, 64)
    made = next(gradients(6, *size))
    assert np.abs(frame[: size[0], : size[1]] - made).mean() < 0.02
    assert np.abs(frame[-1] - frame[-2]).mean() < 0.03


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_odd_side_of_an_animation_stays(tmp_path, suffix):
    path = film(tmp_path, suffix, size=(47, 63))
    assert next(iter(open_video(path))).shape[:2] == (47, 63)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_plays_forever(tmp_path, suffix):
    from PIL import Image

    with Image.open(film(tmp_path, suffix)) as image:
        assert image.info["loop"] == 0


PEAKS = """
import re, resource, sys
from pathlib import Path
import numpy as np
from dreamkit.film.reel import Reel

path, count = Path(sys.argv[1]), int(sys.argv[2])
rng, reel = np.random.default_rng(0), Reel(path)
for _ in range(count):
    reel.add(rng.random((6, 6, 3), "float32").repeat(32, 0).repeat(32, 1))
reel.finish({})
own = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are measured as Linux reports them")
@EVERY_FORMAT
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path, suffix):
    peaks = {}
    for count in (10, 100):
        command = [sys.executable, "-c", PEAKS, tmp_path / f"{count}{suffix}", str(count)]
        run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        peaks[count] = np.array(run.stdout.split(), float) / 1024  # MB
    own, by_ffmpeg = peaks[100] - peaks[10]
    assert own < 4  # 90 more pictures in memory would be 38 MB
    assert by_ffmpeg < 20  # H.264 looks some fifty frames ahead, and stays at that


# A reel


def filled(path, frames=3, settings=None, **options):
    reel = Reel(path, settings or {"zoom": 2, "dream": {"steps": 3}}, **options)
    for picture in gradients(frames):
        reel.add(picture)
    return reel


def test_a_reel_continues_where_it_stopped(tmp_path):
    filled(tmp_path / "a.gif")
    reel = filled(tmp_path / "a.gif", 0)
    assert len(reel) == 3
    assert np.abs(reel[1] - list(gradients(3))[1]).max() <= 0.5001 / 255
    assert np.allclose(reel[0.25], 0.75 * reel[0] + 0.25 * reel[1])


def test_frames_made_with_other_settings_are_not_mixed_in(tmp_path):
    filled(tmp_path / "a.gif")
    with pytest.raises(SettingsError, match=r"\(steps\)"):
        Reel(tmp_path / "a.gif", {"zoom": 2, "dream": {"steps": 4}})
    assert len(filled(tmp_path / "a.gif", 0)) == 3
    assert len(Reel(tmp_path / "a.gif", {"zoom": 3}, overwrite=True)) == 0


def test_a_finished_film_leaves_no_frames_unless_they_are_wanted(tmp_path):
    filled(tmp_path / "a.gif").finish({})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "a.gif.json"]
    filled(tmp_path / "b.gif").finish({}, keep_frames=True)
    assert len(list((tmp_path / "b.gif-frames").glob("*.png"))) == 3


@pytest.mark.parametrize("existing", ["a.gif", "a.gif.json", "a.gif-frames"])
def test_what_is_there_already_is_not_replaced_without_being_asked(tmp_path, existing):
    (tmp_path / existing).write_bytes(b"original")
    with pytest.raises(ImageError, match=existing):
        filled(tmp_path / "a.gif")
    assert (tmp_path / existing).read_bytes() == b"original"


def test_an_existing_film_is_replaced_only_when_the_new_one_is_complete(tmp_path):
    filled(tmp_path / "a.gif").finish({})
    before = (tmp_path / "a.gif").read_bytes()
    reel = filled(tmp_path / "a.gif", 5, overwrite=True)
    assert (tmp_path / "a.gif").read_bytes() == before
    reel.finish({})
    assert open_video(tmp_path / "a.gif").frames == 5


# Wrong files


@pytest.mark.parametrize("name", ["film.avi", "film", "film.png"])
def test_an_unknown_suffix_is_named_with_those_that_work(tmp_path, name):
    with pytest.raises(ImageError, match=r"\.mp4, \.gif, \.webp"):
        Reel(tmp_path / name)


def test_a_missing_ffmpeg_is_reported_with_the_way_to_get_it(tmp_path, monkeypatch):
    def missing():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(ImageError, match="pip install imageio-ffmpeg"):
        Reel(tmp_path / "a.mp4")


def test_an_ffmpeg_that_lacks_a_format_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, ".gif", {**FORMATS[".gif"], "codec": "nosuchcodec"})
    with pytest.raises(ImageError, match="lack the encoder nosuchcodec"):
        film(tmp_path, ".gif")
    assert not list(tmp_path.iterdir())


def broken(folder, kind):
    path = folder / f"{kind}.mp4"
    intact = film(folder).read_bytes()
    content = {"empty": b"", "text": b"no video here", "truncated": intact[:300]}
    path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize("kind", ["empty", "text", "truncated"])
def test_a_file_that_is_not_a_video_is_named(tmp_path, kind):
    with pytest.raises(ImageError, match=rf"{kind}\.mp4.*not a video"):
        open_video(broken(tmp_path, kind))


def test_a_missing_file_a_folder_and_an_array_are_not_videos(tmp_path):
    with pytest.raises(ImageError, match=r"nosuch\.mp4' was not found"):
        open_video(tmp_path / "nosuch.mp4")
    with pytest.raises(ImageError, match="is a folder"):
        open_video(tmp_path)
    with pytest.raises(ImageError, match="ndarray is not a video"):
        open_video(np.zeros((4, 8, 8, 3)))


@pytest.mark.parametrize("name", ["still.png", "still.jpg", "still.webp"])
def test_a_photo_is_not_a_video(tmp_path, name):
    save_image(tmp_path / name, next(gradients(1)))
    with pytest.raises(ImageError, match="only one frame"):
        open_video(tmp_path / name)


# Looking at a film


def test_a_contact_sheet_shows_the_first_and_the_last_frame(tmp_path):
    sheet = contact_sheet(film(tmp_path, count=9), count=4, columns=2, width=64)
    assert sheet.shape == (48 + 2 + 48, 64 + 2 + 64, 3)
    first, *_, last = gradients(9)
    assert np.abs(sheet[:48, :64] - first).mean() < 0.02
    assert np.abs(sheet[-48:, -64:] - last).mean() < 0.02


@pytest.mark.parametrize(("count", "shown"), [(4, 4), (60, 9)])
def test_a_film_is_scrubbed_with_a_slider_over_its_frames(tmp_path, count, shown):
    box = scrub(film(tmp_path, count=9), count=count, width=64)
    stack, controls = box.children
    play, slider = controls.children
    assert len(stack.children) == shown
    assert slider.max == play.max == shown - 1
    first = load_image(bytes(stack.children[0].value))
    assert np.abs(first - next(gradients(9))).mean() < 0.02


def test_paths_work_as_text(tmp_path):
    assert open_video(str(film(tmp_path))).path == Path(tmp_path / "film.mp4")
