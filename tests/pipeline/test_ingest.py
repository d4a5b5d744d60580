"""Every format gives the same grey page; what cannot be read says why, before it costs memory."""

import contextlib
import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pipeline.errors import InputFileError, PageError
from pipeline.geometry import reduce
from pipeline.inbox import Document
from pipeline.ingest import UnsteadyFileError, decode_page, fingerprint, list_pages, load
from pipeline.records import Page

Grey = NDArray[np.uint8]
Save = Callable[..., Path]
Options = dict[str, object]


def read(path: Path, number: int = 1) -> Page:
    """Load and decode one page."""
    return decode_page(load(Document(path, path.name)), number)


def same(image: Grey, expected: Grey) -> bool:
    """Compare within what JPEG changes."""
    return image.shape == expected.shape and bool(np.abs(image.astype(int) - expected).max() <= 12)


FORMS = [
    ("a.png", {"form": "PNG"}),
    ("a.JPG", {"form": "JPEG", "quality": 95}),
    ("progressive.jpeg", {"form": "JPEG", "quality": 95, "progressive": True}),
    ("a.tif", {"form": "TIFF"}),
    ("lzw.tiff", {"form": "TIFF", "compression": "tiff_lzw"}),
    ("deflate.tiff", {"form": "TIFF", "compression": "tiff_adobe_deflate"}),
    ("a.bmp", {"form": "BMP"}),
    ("a.webp", {"form": "WEBP", "lossless": True}),
    ("lossy.webp", {"form": "WEBP", "quality": 95}),
]


@pytest.mark.parametrize(("name", "options"), FORMS, ids=[name for name, _ in FORMS])
@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_every_format_grey_and_colour(
    corner_page: Grey, save: Save, name: str, options: dict[str, object], mode: str
) -> None:
    """The same picture comes back from each format as grey uint8, 0 ink."""
    mode = "L" if mode == "P" and options["form"] == "JPEG" else mode  # it has no palette
    page = read(save(name, Image.fromarray(corner_page).convert(mode), **options))
    assert page.image.dtype == np.uint8
    assert same(page.image, corner_page)


@pytest.mark.parametrize(("name", "options"), FORMS, ids=[name for name, _ in FORMS])
@pytest.mark.parametrize(("side_px", "factor"), [(0, 1), (151, 1), (150, 2), (75, 4)])
def test_a_page_is_not_decoded_finer_than_asked(
    corner_page: Grey, save: Save, name: str, options: Options, side_px: int, *, factor: int
) -> None:
    """Reduced by a whole factor that leaves the side asked for, each pixel a mean."""
    path = save(name, Image.fromarray(corner_page), **options)
    image = decode_page(load(Document(path, name)), 1, side_px=side_px).image
    assert max(image.shape) >= side_px
    assert same(image[:-1, :-1], reduce(corner_page, factor)[: len(image) - 1, :-1])


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_one_bit(corner_page: Grey, save: Save, form: str) -> None:
    """A black-and-white scan gives 0 and 255."""
    path = save("bw." + form.lower(), Image.fromarray(corner_page > 200), form=form)
    assert same(read(path).image, np.where(corner_page > 200, 255, 0).astype(np.uint8))


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_fax_tiff(corner_page: Grey, save: Save, compression: str) -> None:
    """The compressions of fax machines and office scanners are read."""
    image = Image.fromarray(corner_page > 200)
    path = save("fax.tif", image, form="TIFF", compression=compression)
    assert same(read(path).image, np.where(corner_page > 200, 255, 0).astype(np.uint8))


@pytest.mark.parametrize(("dpi", "turned"), [((204, 98), 1), ((98, 204), 1), ((204, 98), 6)])
def test_pixels_of_a_fax_become_square(
    corner_page: Grey, save: Save, dpi: tuple[int, int], turned: int
) -> None:
    """A fax is half as fine one way as the other; its page comes in its own proportions."""
    upright = dpi if turned == 1 else dpi[::-1]
    height, width = corner_page.shape
    page = Image.fromarray(corner_page).resize(
        (width * upright[0] // 100, height * upright[1] // 100)
    )
    back = page if turned == 1 else page.rotate(90, expand=True)
    path = save("fax.tif", back, form="TIFF", dpi=dpi, tiffinfo={274: turned})
    image = read(path).image
    assert image.shape[0] / image.shape[1] == pytest.approx(height / width, rel=0.03)


@pytest.mark.parametrize("dpi", [(300, 300), (300, 299), (1, 0), (9600, 1)])
def test_a_scanners_pixels_stay(corner_page: Grey, save: Save, dpi: tuple[int, int]) -> None:
    """Rounded and senseless resolutions change nothing."""
    path = save("scan.tif", Image.fromarray(corner_page), form="TIFF", dpi=dpi)
    assert read(path).image.shape == corner_page.shape


def test_white_is_zero_tiff(corner_page: Grey, save: Save) -> None:
    """A TIFF that counts from white to black is not read as its negative."""
    # Pillow turns the pixels round itself when it is asked for this photometric tag.
    path = save("inverse.tif", Image.fromarray(corner_page), form="TIFF", tiffinfo={262: 0})
    assert same(read(path).image, corner_page)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits(corner_page: Grey, save: Save, form: str) -> None:
    """16 bits are scaled to 8, not cut off."""
    deep = Image.fromarray(corner_page.astype(np.uint16) * 257)
    assert same(read(save("deep." + form.lower(), deep, form=form)).image, corner_page)


def test_cmyk_jpeg(corner_page: Grey, save: Save) -> None:
    """A JPEG in printing colours is read."""
    image = Image.fromarray(corner_page).convert("CMYK")
    assert same(read(save("print.jpg", image, form="JPEG", quality=95)).image, corner_page)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_laid_on_white(corner_page: Grey, save: Save, form: str) -> None:
    """What is transparent is paper, whatever colour stands below it."""
    colour = np.zeros((*corner_page.shape, 4), np.uint8)
    colour[..., 3] = 255 - corner_page
    options = {"lossless": True} if form == "WEBP" else {}
    path = save("clear." + form.lower(), Image.fromarray(colour), form=form, **options)
    assert same(read(path).image, corner_page)


TURNED = [(form, "L") for form in ("JPEG", "PNG", "WEBP", "TIFF")]
TURNED += [(form, "RGBA") for form in ("PNG", "WEBP", "TIFF")]


@pytest.mark.parametrize(("form", "mode"), TURNED)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_obeyed(
    corner_page: Grey, save: Save, form: str, orientation: int, mode: str
) -> None:
    """A picture stored turned or mirrored comes back upright, with and without alpha."""
    away = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: np.rot90,
        7: lambda a: a[::-1, ::-1].T,
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(away(corner_page))).convert(mode)
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(form, {})
    path = save("turned." + form.lower(), stored, form=form, exif=exif, **options)
    assert same(read(path).image, corner_page)


def test_every_page_of_a_tiff(corner_page: Grey, save: Save) -> None:
    """Each page of a TIFF is found, in order, with its own pixels."""
    pages = [corner_page, np.ascontiguousarray(corner_page[::-1]), 255 - corner_page]
    first, *rest = (Image.fromarray(page) for page in pages)
    path = save("three.tif", first, form="TIFF", save_all=True, append_images=rest)
    refs = list_pages(Document(path, path.name))
    assert [ref.number for ref in refs] == [1, 2, 3]
    for ref, expected in zip(refs, pages, strict=True):
        assert same(read(path, ref.number).image, expected)


def test_every_page_of_a_pdf(corner_page: Grey, save: Save) -> None:
    """Each page of a PDF is rendered at 300 dpi."""
    pages = [corner_page, np.ascontiguousarray(corner_page[::-1])]
    first, *rest = (Image.fromarray(page) for page in pages)
    options = {"form": "PDF", "resolution": 150, "save_all": True, "append_images": rest}
    path = save("two.pdf", first, **options)
    assert len(list_pages(Document(path, path.name))) == 2
    for number, expected in enumerate(pages, start=1):
        image = read(path, number).image
        assert image.shape == (600, 400)
        assert abs(int(image[20, 20]) - int(expected[10, 10])) < 12
        assert abs(int(image[-20, -20]) - int(expected[-10, -10])) < 12


def test_content_counts_not_the_suffix(corner_page: Grey, save: Save) -> None:
    """A JPEG that is called .png is read, and a TIFF called .jpg with all its pages."""
    image = Image.fromarray(corner_page)
    assert same(read(save("really.png", image, form="JPEG", quality=95)).image, corner_page)
    tiff = save("really.jpg", image, form="TIFF", save_all=True, append_images=[image])
    assert len(list_pages(Document(tiff, tiff.name))) == 2


def test_hash_is_the_files(corner_page: Grey, save: Save) -> None:
    """The page carries the SHA-256 of its file's bytes, and its name and number."""
    path = save("a.png", Image.fromarray(corner_page), form="PNG")
    identity = read(path).identity
    assert identity.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (identity.document, identity.number) == ("a.png", 1)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "PDF"])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.98])
def test_cut_off_files_are_refused(save: Save, form: str, share: float) -> None:
    """A file of which the end is missing is never read as if it were whole."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 200), np.uint8)
    path = save("cut." + form.lower(), Image.fromarray(noise), form=form)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises((PageError, InputFileError), match=r"again|save"):
        read(path)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "group4"])
def test_a_damaged_tiff_page_leaves_the_others(
    save: Save, compression: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Overwritten pixels fail their page alone, and libtiff stays quiet in the terminal."""
    rng = np.random.default_rng(0)
    pages = [Image.fromarray(rng.random((300, 200)) > 0.5) for _ in range(3)]
    options = {"form": "TIFF", "save_all": True, "append_images": pages[1:]}
    path = save("damaged.tif", pages[0], compression=compression, **options)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = rng.bytes(300)
    path.write_bytes(data)
    assert len(list_pages(Document(path, path.name))) == 3
    for number in (1, 3):
        expected = np.asarray(pages[number - 1]).astype(np.uint8) * 255
        assert same(read(path, number).image, expected)
    with pytest.raises(PageError, match="damaged"):
        read(path, 2)
    assert capfd.readouterr().err == ""


def test_a_broken_tiff_chain_is_told(corner_page: Grey, save: Save) -> None:
    """Where the chain of pages breaks off, a last page fails: lost pages are not passed over."""
    image = Image.fromarray(corner_page)
    path = save("broken.tif", image, form="TIFF", save_all=True, append_images=[image])
    data = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * entries, len(data) + 1000)
    path.write_bytes(data)
    assert len(list_pages(Document(path, path.name))) == 2
    assert same(read(path, 1).image, corner_page)
    with pytest.raises(PageError, match="cut off"):
        read(path, 2)


def test_damage_inside_a_jpeg_is_heard(save: Save) -> None:
    """Overwritten pixels in a JPEG, which decoders cover with grey, fail the page."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 200), np.uint8)
    path = save("damaged.jpg", Image.fromarray(noise), form="JPEG")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(PageError, match="damaged"):
        read(path)


HUGE = 30_000
HEADERS = {
    "png": b"\x89PNG\r\n\x1a\n"
    + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", HUGE, HUGE, 1, 0, 0, 0, 0, 0)
    + struct.pack(">I4sI", 0, b"IEND", 0),
    "jpg": b"\xff\xd8\xff\xc0\x00\x0b\x08" + struct.pack(">HH", HUGE, HUGE) + b"\x01\x01\x11\x00"
    b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\xff\xd9",
    "bmp": b"BM" + bytes(12) + struct.pack("<Iii", 40, HUGE, -HUGE) + bytes(40),
    "webp": b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<IBxxx", 10, 0)
    + (HUGE - 1).to_bytes(3, "little") * 2,
    "tif": b"II*\0" + struct.pack("<IHHHIIHHII", 8, 2, 256, 4, 1, HUGE, 257, 4, 1, HUGE) + bytes(4),
}  # fmt: skip


@pytest.mark.parametrize("suffix", HEADERS)
def test_huge_pictures_are_refused_by_their_header(tmp_path: Path, suffix: str) -> None:
    """30,000 x 30,000 is refused from a header without pixels: nothing was decoded."""
    path = tmp_path / f"huge.{suffix}"
    path.write_bytes(HEADERS[suffix])
    with pytest.raises(PageError, match="30000 x 30000 pixels are too many"):
        read(path)


def test_huge_pdf_page_is_refused(tmp_path: Path) -> None:
    """A PDF page of 7,200 points by 7,200 is refused before it is rendered."""
    path = tmp_path / "huge.pdf"
    Image.new("1", (100, 100)).save(path, resolution=1)
    with pytest.raises(PageError, match="too many"):
        read(path)


def test_tiny_picture_is_refused(save: Save) -> None:
    """One pixel holds no form."""
    with pytest.raises(PageError, match="1 x 1 pixels are too few"):
        read(save("dot.png", Image.new("L", (1, 1)), form="PNG"))


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "empty"), (b"Dear Sir or Madam,\n" * 100, "no PNG")]
)
def test_no_picture_at_all(tmp_path: Path, content: bytes, message: str) -> None:
    """An empty file and a text called .png say what they are."""
    path = tmp_path / "letter.png"
    path.write_bytes(content)
    assert len(list_pages(Document(path, path.name))) == 1
    with pytest.raises(InputFileError, match=message):
        read(path)


def test_encrypted_pdf_says_what_to_do(tmp_path: Path) -> None:
    """A PDF with a password asks for one without."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - one test draws with it

    path = tmp_path / "secret.pdf"
    Canvas(str(path), encrypt="word").save()
    assert len(list_pages(Document(path, path.name))) == 1
    with pytest.raises(PageError, match="without a password"):
        read(path)


WHOLE = ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "PDF"]


@pytest.mark.parametrize("form", WHOLE)
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=8)), max_size=4))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damage_anywhere_is_a_page_that_fails(
    save: Save, corner_page: Grey, form: str, changes: list[tuple[float, bytes]]
) -> None:
    """Whatever bytes are overwritten, a page is read or refused; nothing else is raised."""
    path = save("any." + form.lower(), Image.fromarray(corner_page[:80, :80]), form=form)
    data = bytearray(path.read_bytes())
    for where, what in changes:
        start = int(where**4 * len(data))  # most of them in the headers
        data[start : start + len(what)] = what
    path.write_bytes(data)
    for ref in list_pages(Document(path, path.name))[:3]:
        with contextlib.suppress(PageError, InputFileError):
            assert read(path, ref.number).image.ndim == 2


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_an_unsteady_drive_is_told_apart(tmp_path: Path) -> None:
    """An input/output error may pass, a missing file does not."""
    (tmp_path / "a.png").symlink_to("/proc/self/mem")
    with pytest.raises(UnsteadyFileError):
        load(Document(tmp_path / "a.png", "a.png"))
    with pytest.raises(InputFileError) as caught:
        load(Document(tmp_path / "gone.png", "gone.png"))
    assert not isinstance(caught.value, UnsteadyFileError)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe that was given as a file fails at once."""
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputFileError, match="regular"):
        load(Document(tmp_path / "pipe.png", "pipe.png"))


def test_a_file_is_hashed_again_only_if_it_changed(tmp_path: Path) -> None:
    """While a file stays as it was, its hash of then is taken; later bytes have their own."""
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    before = fingerprint(Document(path, "a.png"))
    known = {"sha256": "as told", "state": before.state}
    assert load(Document(path, "a.png"), **known).sha256 == "as told"
    path.write_bytes(b"longer than before")
    source = load(Document(path, "a.png"), **known)
    assert source.sha256 == hashlib.sha256(b"longer than before").hexdigest()
