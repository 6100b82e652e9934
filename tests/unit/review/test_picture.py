"""Pictures are readable, and carry nothing beside the picture."""

from __future__ import annotations

import base64
import io
import math

import pytest
from PIL import Image

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.review.picture import picture_of
from tests.builders import a_case


def an_image_task(*inputs: str, kind: InputKind = InputKind.IMAGE) -> Task:
    return Task("p", kind, inputs, ("0", "1"))


def opened(uri: str) -> Image.Image:
    head, body = uri.split(",", 1)
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def test_pixels_are_scaled_up_without_blurring() -> None:
    names = [f"p{number}" for number in range(64)]
    case = a_case(inputs={name: 16.0 * (number % 2) for number, name in enumerate(names)})
    picture = opened(picture_of(case, an_image_task(*names)))
    assert picture.size == (320, 320)
    assert set(picture.tobytes()) == {0, 255}
    assert (picture.getpixel((39, 0)), picture.getpixel((40, 0))) == (0, 255)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -3.0])
def test_a_pixel_without_a_value_is_black(value: object) -> None:
    names = ["a", "b", "c", "d"]
    case = a_case(inputs=dict.fromkeys(names, 255.0) | {"a": value})
    assert opened(picture_of(case, an_image_task(*names))).getpixel((0, 0)) == 0


def test_columns_that_are_no_square_are_refused() -> None:
    with pytest.raises(InputError, match="no square"):
        picture_of(a_case(inputs={"a": 1, "b": 2}), an_image_task("a", "b"))


def test_a_pixel_that_is_no_number_is_refused() -> None:
    names = ["a", "b", "c", "d"]
    with pytest.raises(InputError, match="no number"):
        picture_of(a_case(inputs=dict.fromkeys(names, "dark")), an_image_task(*names))


def test_a_file_is_written_anew_without_what_it_carried(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Anna Author"
    Image.new("RGB", (2000, 1000), "red").save(tmp_path / "a.jpg", exif=exif)
    picture = opened(picture_of(a_case(inputs={"path": "a.jpg"}), an_image_task("path"), tmp_path))
    assert picture.size == (1024, 512)
    assert not picture.getexif()


@pytest.mark.parametrize("name", ["missing.png", "text.png", "."])
def test_a_file_that_is_no_picture_is_refused(name: str, tmp_path) -> None:
    (tmp_path / "text.png").write_text("password=hunter2")
    with pytest.raises(InputError, match="cannot be read"):
        picture_of(a_case(inputs={"path": name}), an_image_task("path"), tmp_path)


def test_other_kinds_have_no_picture() -> None:
    assert picture_of(a_case(), an_image_task("x", kind=InputKind.TEXT)) == ""
