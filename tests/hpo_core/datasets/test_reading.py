import io
import os
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hpo_core.datasets import read_table
from hpo_core.errors import DataError


def read(data: bytes, name: str = "table.csv") -> pd.DataFrame:
    return read_table(io.BytesIO(data), name)


def notes(frame: pd.DataFrame) -> str:
    return " ".join(frame.attrs["notes"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(delimiter: str):
    frame = read(delimiter.join("ab").encode() + b"\n" + delimiter.join(["1", "x y"]).encode())
    assert frame.to_dict("list") == {"a": [1], "b": ["x y"]}


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"],
)
def test_encoding_is_found(encoding: str):
    frame = read("größe,b\n1,naïve café\n".encode(encoding))
    assert frame.to_dict("list") == {"größe": [1], "b": ["naïve café"]}


def test_other_encoding_than_utf8_is_said():
    assert "not UTF-8" in notes(read("a,b\n1,é\n".encode("cp1252")))
    assert read("a,b\n1,é\n".encode()).attrs["notes"] == ()


def test_bytes_that_windows_1252_does_not_know_are_read_as_latin_1():
    frame = read(b"a,b\n1,\x81\xe9\n")
    assert frame["b"].tolist() == ["\x81é"]
    assert "Latin-1" in notes(frame)


def test_fault_in_the_encoding_beyond_the_sample_is_found():
    data = b"a,b\n" + b"1,plain\n" * 600_000 + b"2,caf\xe9\n"
    assert read(data)["b"].iloc[-1] == "café"


def test_text_that_breaks_off_in_utf16_is_refused():
    with pytest.raises(DataError, match="UTF-16"):
        read("a,b\n1,2\n".encode("utf-16")[:-1])


def test_quoted_cells_keep_delimiters_quotes_and_line_breaks():
    frame = read(b'"a\nb","c"\n"1,5","say ""hi""\nthere"\n')
    assert frame.to_dict("list") == {"a b": ["1,5"], "c": ['say "hi"\nthere']}


def test_decimal_comma_is_read_where_it_is_unambiguous():
    assert read(b"a;b\n1,5;2\n-3,25;4\n")["a"].tolist() == [1.5, -3.25]


@pytest.mark.parametrize("cells", [b"1,500;2\n3,250;4\n", b"1,5;2.5\n"])
def test_ambiguous_comma_stays_text_and_is_said(cells: bytes):
    frame = read(b"a;b\n" + cells)
    assert isinstance(frame["a"].dtype, pd.StringDtype)
    assert "two ways" in notes(frame)


def test_types_follow_from_whole_columns():
    frame = read(b"i,f,t,s,d\n1,1.5,true,x,2024-02-29\n-2,,false,,2024-03-01\n")
    assert [str(t) for t in frame.dtypes] == ["int64", "float64", "bool", "str", "datetime64[us]"]
    assert np.isnan(frame["f"][1])
    assert pd.isna(frame["s"][1])


@pytest.mark.parametrize("cell", [b"02/03/2024", b"2.3.2024", b"March 2024", b"2024-13-40"])
def test_ambiguous_dates_stay_text(cell: bytes):
    assert read(b"a,b\n1," + cell + b"\n")["b"].tolist() == [cell.decode()]


def test_one_cell_that_is_no_date_keeps_the_column_text():
    assert read(b"a,b\n1,2024-01-02\n2,soon\n")["b"].tolist() == ["2024-01-02", "soon"]


def test_times_with_a_zone_become_utc():
    assert read(b"a,b\n1,2024-01-02T10:00:00+02:00\n")["b"][0] == pd.Timestamp("2024-01-02 08:00")


def test_times_of_day_become_seconds():
    assert read(b"a,b\n1,12:30:00\n")["b"].tolist() == [45_000.0]


@pytest.mark.parametrize("mark", ["", "?", "NA", "NaN", "null", " NA ", '""', "  "])
def test_missing_marks_leave_a_number_column_numeric(mark: str):
    frame = read(f"a,b\n1,2\n{mark},3\n4,5\n".encode())
    assert frame["a"].isna().tolist() == [False, True, False]
    assert frame["a"].dtype == "float64"


def test_true_and_false_with_gaps_become_ones_and_zeros():
    np.testing.assert_array_equal(read(b"a,b\n1,true\n2,\n3,false\n")["b"], [1, np.nan, 0])


def test_whole_numbers_beyond_64_bits_become_floats():
    assert read(b"a,b\n99999999999999999999999,1\n")["a"].tolist() == [1e23]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_of_all_systems(line_end: bytes):
    assert read(line_end.join([b"a,b", b"1,2", b"3,4"])).to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_blank_lines_are_passed_over():
    assert read(b"\n\na,b\n1,2\n\n3,4\n\n").to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_a_file_path_may_be_text_or_a_path(tmp_path: Path):
    path = tmp_path / "größe und maß.CSV"
    path.write_bytes(b"a,b\n1,2\n")
    pd.testing.assert_frame_equal(read_table(path), read_table(str(path)))


def test_names_with_markup_and_formulas_stay_plain_text():
    names = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "+a", "-b", "@c", "{{d}}", "$e$", "[x](javascript:y)"]
    frame = read(",".join(f'"{n}"' for n in names).encode() + b"\n=1+1,2,3,4,5,<b>,7,8\n")
    assert frame.columns.tolist() == names
    assert frame.iloc[0, 0] == "=1+1"
    assert frame.iloc[0, 5] == "<b>"


def test_names_lose_control_characters_blanks_and_length():
    frame = read(f' a\x07\u202eb ,"c \t\n d",{"e" * 500}\n1,2,3\n'.encode())
    assert frame.columns[:2].tolist() == ["ab", "c d"]
    assert frame.columns[2] == "e" * 119 + "…"


def test_blank_names_are_numbered_and_said():
    frame = read(b",column_1,b\n1,2,3\n")
    assert frame.columns.tolist() == ["column_1_", "column_1", "b"]
    assert "without a name" in notes(frame)


@pytest.mark.parametrize(
    "data", [b"1,2,3.5\n4,5,6\n", b"5.1,3.5,setosa\n4.9,3.0,setosa\n7,3,virginica\n", b"0,1\n3,4\n", b"1,,3\n2,3,4\n"]
)
def test_table_without_header_gets_numbered_names_and_keeps_its_first_row(data: bytes):
    frame = read(data)
    assert frame.columns.tolist() == [f"column_{i + 1}" for i in range(data.split(b"\n")[0].count(b",") + 1)]
    assert len(frame) == data.count(b"\n")
    assert "looks like data" in notes(frame)


@pytest.mark.parametrize("header", [b"0,1,2", b"1,2,3", b"kind,2019,2020", b"1100.5,1102.5,octane", b",0,1,2"])
def test_header_of_numbers_that_count_or_stand_beside_names_is_a_header(header: bytes):
    width = header.count(b",") + 1
    rows = b"\n".join(b",".join(b"%d" % (10 * r + c) for c in range(width)) for r in range(3))
    assert len(read(header + b"\n" + rows)) == 3


@pytest.mark.parametrize("data", [b"", b"\n\n", b" \n", b"\xef\xbb\xbf"])
def test_empty_file_is_refused(data: bytes):
    with pytest.raises(DataError, match="empty"):
        read(data)


@pytest.mark.parametrize("data", [b"a,b", b"a,b\n", b"\na,b\n\n"])
def test_header_without_rows_is_refused(data: bytes):
    with pytest.raises(DataError, match="no data rows"):
        read(data)


@pytest.mark.parametrize("data", [b"a\n1\n2\n", b"a b c\n1 2 3\n", b"a:b\n1:2\n", b"Report 2024\na,b\n1,2\n"])
def test_one_column_says_that_the_delimiter_may_be_wrong(data: bytes):
    with pytest.raises(DataError, match=r"one column\. The delimiter may be wrong"):
        read(data)


def test_uneven_rows_are_refused_with_the_first_row_and_their_count():
    with pytest.raises(DataError, match=r"Row 3 of table.csv has 3 cells where the header has 2; 2 rows differ in all"):
        read(b"a,b\n1,2\n3,4,5\n6,7\n8\n9,10\n")


def test_uneven_row_far_down_is_refused_with_its_number():
    with pytest.raises(DataError, match="Row 800002 "):
        read(b"a,b,c\n" + b"1,2,3\n" * 800_000 + b"1,2\n")


@pytest.mark.parametrize("data", [b'a,b\n1,"2\n3,4\n5,6\n', b'a,b\n"1,2\n3,4\n'])
def test_quotation_mark_left_open_is_refused(data: bytes):
    with pytest.raises(DataError, match=r"quotation mark|cells"):
        read(data)


def test_row_longer_than_a_block_is_refused():
    with pytest.raises(DataError, match="longer than"):
        read(b"a,b\n1," + b"x" * 40_000_000 + b"\n2,3\n")


def test_table_without_line_ends_is_refused():
    with pytest.raises(DataError, match="first row longer than 4 MB"):
        read(b"1,2," * 1_200_000)


def test_header_of_30000_columns_is_read():
    width = 30_000
    frame = read(
        b",".join(
            b"a name so long that all of them together would fill megabytes as this one does %d" % i
            for i in range(width)
        )
        + b"\n"
        + b",".join([b"1"] * width)
    )
    assert frame.shape == (1, width)


def test_inch_mark_inside_a_cell_is_text():
    assert read(b'a,b\n1,5" pipe\n2,x\n')["b"].tolist() == ['5" pipe', "x"]


def test_duplicate_names_are_refused_and_named():
    with pytest.raises(DataError, match=r"same name: price\. "):
        read(b"price,b, price \n1,2,3\n")


BINARIES = {
    "random": np.random.default_rng(0).bytes(5_000),
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "zip": b"PK\x03\x04\x14\x00",
    "gzip": b"\x1f\x8b\x08\x00",
    "pdf": b"%PDF-1.7\n",
    "sqlite": b"SQLite format 3\x00",
    "controls": b"a,b\n\x01\x02\x03,\x04\n",
}


@pytest.mark.parametrize("kind", BINARIES)
def test_binary_file_named_csv_is_refused(kind: str, tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_bytes(BINARIES[kind])
    with pytest.raises(DataError, match="not a text table"):
        read_table(path)


def test_zero_byte_beyond_the_sample_is_found():
    with pytest.raises(DataError, match="binary"):
        read(b"a,b\n" + b"1,2\n" * 1_500_000 + b"\0,1\n")


def test_parquet_named_csv_says_what_it_is(tmp_path: Path):
    path = tmp_path / "table.csv"
    pd.DataFrame({"a": [1], "b": [2]}).to_parquet(path)
    with pytest.raises(DataError, match="Parquet file: rename"):
        read_table(path)


def test_csv_named_parquet_is_refused(tmp_path: Path):
    path = tmp_path / "table.parquet"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(DataError, match="not a Parquet file"):
        read_table(path)


@pytest.mark.parametrize("suffix", [".xlsx", ".pkl", ".json", ".gz"])
def test_unsupported_suffix_is_refused_with_those_that_are(suffix: str, tmp_path: Path):
    path = tmp_path / f"table{suffix}"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(DataError, match=rf"{suffix}, which is not supported; use one of \.csv"):
        read_table(path)


def test_missing_file_is_said(tmp_path: Path):
    with pytest.raises(DataError, match="no file"):
        read_table(tmp_path / "nowhere.csv")


def test_folder_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="folder"):
        read_table(tmp_path)


def test_device_is_refused():
    with pytest.raises(DataError, match="not a file"):
        read_table("/dev/zero")


@pytest.mark.parametrize("path", ["a\0b.csv", "x" * 5_000 + ".csv"])
def test_impossible_path_is_refused(path: str):
    with pytest.raises(DataError):
        read_table(path)


def test_file_without_permission_is_said(tmp_path: Path):
    path = tmp_path / "secret.csv"
    path.write_bytes(b"a,b\n1,2\n")
    path.chmod(0)
    owner = os.geteuid()
    try:
        if owner == 0:
            os.seteuid(65_534)
        with pytest.raises(DataError, match=r"cannot be opened: Permission denied"):
            read_table(path)
    finally:
        os.seteuid(owner)


def test_too_large_file_is_refused_unread(tmp_path: Path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as stream:
        stream.truncate(500_000_001)
    with pytest.raises(DataError, match="larger than 500 MB"):
        read_table(path)


def test_text_stream_is_refused():
    with pytest.raises(DataError, match="binary mode"):
        read_table(io.StringIO("a,b\n1,2\n"), "table.csv")  # type: ignore[arg-type]


def test_upload_and_file_give_the_same_table(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n1,x\n")
    with path.open("rb") as stream:
        pd.testing.assert_frame_equal(read_table(stream), read_table(path))


def test_upload_is_read_from_its_start_each_time():
    stream = io.BytesIO(b"a,b\n1,x\n")
    pd.testing.assert_frame_equal(read_table(stream, "table.csv"), read_table(stream, "table.csv"))


def test_200_mb_file_is_read_whole(tmp_path: Path):
    path = tmp_path / "large.csv"
    values = np.random.default_rng(0).normal(size=(5_000, 20)).round(6)
    block = pd.DataFrame(values).assign(kind="abc").to_csv(index=False, header=False).encode()
    n_blocks = 200_000_000 // len(block) + 1
    with path.open("wb") as stream:
        stream.write(b",".join(b"f%d" % i for i in range(20)) + b",kind\n")
        for _ in range(n_blocks):
            stream.write(block)
    frame = read_table(path)
    assert frame.shape == (5_000 * n_blocks, 21)
    np.testing.assert_array_equal(frame.iloc[-5_000:, :20], values)


SAMPLE = pd.DataFrame(
    {
        "whole": [1, -2, 3],
        "real": [0.1, np.nan, 1e-300],
        "text": pd.Series(["ä", None, '"q", x\ny'], dtype="str"),
        "truth": [True, False, True],
        "day": pd.Series(["2024-01-01", None, "2024-01-03"]).astype("datetime64[us]"),
    }
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_csv_round_trip(encoding: str, tmp_path: Path):
    path = tmp_path / "table.csv"
    SAMPLE.to_csv(path, index=False, encoding=encoding)
    pd.testing.assert_frame_equal(read_table(path), SAMPLE)


def test_parquet_round_trip(tmp_path: Path):
    path = tmp_path / "table.parquet"
    SAMPLE.to_parquet(path)
    pd.testing.assert_frame_equal(read_table(path), SAMPLE)


def test_parquet_types_are_made_plain(tmp_path: Path):
    path = tmp_path / "table.parquet"
    table = pa.table(
        {
            "category": pa.array(["u", "v"]).dictionary_encode(),
            "money": pa.array([1, 2]).cast(pa.decimal128(30, 2)),
            "zone": pa.array([datetime(2024, 1, 1, 12, tzinfo=UTC)] * 2, pa.timestamp("ns", tz="Europe/Berlin")),
            "clock": pa.array([time(0, 1)] * 2),
            "bytes": pa.array([b"x", b"y"]),
            "nothing": pa.nulls(2),
        }
    )
    pq.write_table(table, path)
    frame = read_table(path)
    assert [str(t) for t in frame.dtypes] == ["str", "float64", "datetime64[us]", "float64", "str", "float64"]
    assert frame.iloc[0, :5].tolist() == ["u", 1.0, pd.Timestamp("2024-01-01 12:00"), 60.0, "x"]


def test_nested_and_binary_parquet_columns_are_left_out_and_named(tmp_path: Path):
    path = tmp_path / "table.parquet"
    table = pa.table({"a": [1], "b": [2], "list": [[1]], "record": [{"x": 1}], "raw": pa.array([b"\xff"])})
    pq.write_table(table, path)
    frame = read_table(path)
    assert frame.columns.tolist() == ["a", "b"]
    assert "list, record, raw" in notes(frame)


def test_parquet_of_nested_columns_alone_is_refused(tmp_path: Path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [1], "list": [[1]]}), path)
    with pytest.raises(DataError, match="1 usable column"):
        read_table(path)


def test_parquet_index_is_not_taken_for_a_feature(tmp_path: Path):
    path = tmp_path / "table.parquet"
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=["x", "y"]).to_parquet(path)
    frame = read_table(path)
    assert frame.columns.tolist() == ["a", "b"]
    assert "Row labels" in notes(frame)


def test_parquet_without_rows_is_refused(tmp_path: Path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="no rows"):
        read_table(path)


def test_parquet_cut_off_is_refused(tmp_path: Path):
    path = tmp_path / "table.parquet"
    SAMPLE.to_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"table\.parquet"):
        read_table(path)
