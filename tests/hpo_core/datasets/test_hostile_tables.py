import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hpo_core.datasets import dataset_from_table, read_table
from hpo_core.errors import DataError, UsageError

FRAGMENTS = [
    b",",
    b";",
    b"\t",
    b"|",
    b"\n",
    b"\r\n",
    b'"',
    b"'",
    b"a",
    b"1",
    b"1,5",
    b"-2.5e3",
    b"inf",
    b"nan",
    b"?",
    b" ",
]
FRAGMENTS += [
    b"=1+1",
    b"<b>",
    b"true",
    b"2024-01-02",
    b"\xc3\xa4",
    b"\xe4",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x00",
    b"\x1a",
    b"\\",
]
SOUP = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map(b"".join)
SETTINGS = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def read_or_refuse(data: bytes, name: str) -> pd.DataFrame | None:
    sentence = ""
    try:
        return read_table(io.BytesIO(data), name)
    except DataError as fault:
        sentence = str(fault)
    assert sentence.startswith((name, "Row "))
    assert sentence.endswith(".")
    return None


@SETTINGS
@given(st.one_of(st.binary(max_size=200), SOUP, SOUP.map(lambda soup: b"a,b\n1,2\n" + soup)))
def test_any_bytes_named_csv_give_a_table_or_a_sentence(data: bytes):
    frame = read_or_refuse(data, "table.csv")
    if frame is not None:
        assert frame.shape[1] >= 2
        assert frame.columns.is_unique
        assert all(isinstance(name, str) and name for name in frame.columns)


@SETTINGS
@given(
    st.lists(
        st.lists(st.sampled_from(["1", "2.5", "", "x", "=y", "inf", "?"]), min_size=3, max_size=3),
        min_size=8,
        max_size=40,
    )
)
def test_any_table_gives_a_data_set_or_a_sentence(rows: list[list[str]]):
    frame = read_or_refuse("\n".join(map(",".join, [["a", "b", "c"], *rows])).encode(), "table.csv")
    if frame is None:
        return
    try:
        dataset = dataset_from_table(frame, "c", name="table.csv")
    except (DataError, UsageError):
        return
    assert len(dataset.features) == len(dataset.target) >= 10


VALID = io.BytesIO()
pq.write_table(pa.table({"a": range(20), "b": ["x", "y"] * 10}), VALID)


# Eight bytes of the footer, changed so, make the decoder ask for more memory than any machine has.
@settings(SETTINGS, max_examples=60)
@example(487, b"\xce\x87\xe0\x8a\xfc\xf3\xef\xee")
@given(st.integers(0, len(VALID.getvalue()) - 1), st.binary(min_size=1, max_size=8))
def test_damaged_parquet_gives_a_table_or_a_sentence(at: int, damage: bytes):
    read_or_refuse(VALID.getvalue()[:at] + damage + VALID.getvalue()[at + len(damage) :], "table.parquet")


@SETTINGS
@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)), min_size=1)
)
def test_numbers_come_back_exactly(pairs: list[tuple[int, float]]):
    frame = pd.DataFrame(pairs, columns=["whole", "real"])
    back = read_table(io.BytesIO(frame.to_csv(index=False).encode()), "table.csv")
    pd.testing.assert_frame_equal(back, frame, check_dtype=False, check_exact=True)
