"""Sealed objects: what comes out is what went in, from any place; and nothing that was touched opens."""

import io
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.media.sealing import CHUNK_BYTES, SALT_BYTES, TAG_BYTES, Opener, Sealer, Unopenable

KEY, OTHER_KEY = b"\x01" * 32, b"\x02" * 32
HEADER = 4 + SALT_BYTES
SEALED = CHUNK_BYTES + TAG_BYTES


def sealed(plain: bytes, *, key: bytes = KEY, name: str = "a/ORIGINAL", step: int = 50_000) -> bytes:
    file = io.BytesIO()
    sealer = Sealer(key=key, name=name, file=file)
    for start in range(0, len(plain), step):
        sealer.write(plain[start : start + step])
    sealer.finish()
    return file.getvalue()


def opened(data: bytes, *, key: bytes = KEY, name: str = "a/ORIGINAL") -> Opener:
    return Opener(key=key, name=name, file=io.BytesIO(data), owned=True)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 400_000])
def test_what_comes_out_is_what_went_in(size):
    plain = secrets.token_bytes(size)
    with opened(sealed(plain)) as file:
        assert file.size == size
        assert file.readall() == plain


@given(start=st.integers(0, 200_000), length=st.integers(0, 200_000), step=st.integers(1, 90_000))
def test_it_can_be_read_from_any_place(start, length, step):
    plain = bytes(number % 251 for number in range(150_000))
    file = opened(sealed(plain, step=step))
    assert b"".join(file.parts(start=start, end=start + length)) == plain[start : start + length]


def test_two_objects_of_the_same_bytes_have_nothing_in_common():
    plain = b"x" * 1000
    assert sealed(plain)[HEADER:] != sealed(plain)[HEADER:]
    assert plain[:20] not in sealed(plain)


@pytest.mark.parametrize("options", [{"key": OTHER_KEY}, {"name": "b/ORIGINAL"}, {"name": "a/THUMBNAIL"}])
def test_it_opens_with_no_other_key_and_under_no_other_name(options):
    with pytest.raises(Unopenable):
        opened(sealed(b"geheim"), **options).readall()


def _altered(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


CHUNKS = [HEADER + number * SEALED for number in range(4)]


@pytest.mark.parametrize(
    "touch",
    [
        _altered,
        lambda data: data[: CHUNKS[2]],  # cut off between two chunks
        lambda data: data[:-5],
        lambda data: data + b"more",
        lambda data: data[: CHUNKS[0]] + data[CHUNKS[1] : CHUNKS[2]] + data[CHUNKS[0] : CHUNKS[1]] + data[CHUNKS[2] :],
        lambda data: data[: CHUNKS[0]] + data[CHUNKS[1] :],
        lambda data: b"WBS2" + data[4:],
        lambda data: data[:10],
        lambda data: b"",
    ],
    ids=["altered", "cut off", "shortened", "longer", "swapped", "left out", "another form", "header", "empty"],
)
def test_nothing_that_was_touched_opens(touch):
    with pytest.raises(Unopenable):
        opened(touch(sealed(secrets.token_bytes(2 * CHUNK_BYTES + 100)))).readall()


def test_one_that_was_never_finished_does_not_open():
    file = io.BytesIO()
    Sealer(key=KEY, name="a/ORIGINAL", file=file).write(secrets.token_bytes(3 * CHUNK_BYTES))
    with pytest.raises(Unopenable):
        opened(file.getvalue()).readall()
