"""Code points in the header of a file, and what `lcodec info` says of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from command_line import lcodec
from picture_examples import HLG, ICC, P3, PQ, example, same

import latticecodec
from latticecodec import Codec
from latticecodec.container import Cicp, code_points, extensions


def test_what_is_not_known_is_not_there() -> None:
    assert code_points(bytes(P3)) == P3
    assert code_points(b"\x09\x12\0\0") == Cicp(9, 18, full_range=0)
    for body in (b"", b"\x0c\x0d\0", b"\x0c\x0d\0\1\0", b"\x0c\x0d\1\1", b"\x0c\x0d\0\2", b"\2\2\0\1"):
        assert code_points(body) is None


@pytest.mark.parametrize(
    ("fields", "colours", "cicp"),
    [
        ({}, "sRGB", None),
        ({"icc": ICC}, "as the ICC profile says", None),
        ({"cicp": P3}, "Display P3 primaries, sRGB transfer", "12/13/0/1"),
        ({"cicp": HLG}, "BT.2020 primaries, HLG transfer", "9/18/0/1"),
        ({"cicp": PQ, "icc": ICC}, "as the ICC profile says", "9/16/0/1"),
    ],
)
def test_info_shows_them(fields: dict[str, Any], colours: str, cicp: str | None, tiny: Codec, tmp_path: Path) -> None:
    path = tmp_path / "a.lcq"
    path.write_bytes(tiny.encode(replace(example(3, 8), **fields), effort=0))
    facts = json.loads(lcodec("info", path, "--json").stdout)
    assert (facts["colours"], facts["cicp"]) == (colours, cicp)
    lines = lcodec("info", path).stdout.splitlines()
    assert f"colours        {colours}" in lines
    assert f"cicp           {cicp or 'none'}" in lines


def test_older_readers_step_over_the_record(tiny: Codec) -> None:
    """A reader that knows no type 132 finds the same picture, and all else that the header says."""
    data = tiny.encode(replace(example(3, 8), cicp=P3, icc=ICC), effort=0)
    header = latticecodec.read_header(data)
    assert (header.cicp, header.version) == (P3, (1, 2))
    rows = tuple(row for row in extensions.RECORDS if row.field != "cicp")
    with mock.patch.object(extensions, "RECORDS", rows):
        assert latticecodec.read_header(data) == replace(header, cicp=None)
        older = tiny.decode_pixels(data)
    assert same(older, tiny.decode_pixels(data))
