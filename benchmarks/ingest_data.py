"""Invented exports for the ingest benchmark: visit tables in CSV and HIS XML, drawn in columns from a seed.

Nobody in these files exists. Rates of dirt are those of the samples (lost zeros, zero for missing, rows written
twice, impossible values, decomposed and TCVN3 text, mg/dL, birth years alone, two-digit years, other diseases).
"""

from __future__ import annotations

import base64
import unicodedata
from pathlib import Path

import numpy as np
import polars as pl

VISITS_EACH = 36  # a patient comes monthly for three years
FIRST_DAY = np.datetime64("2023-07-01")
REFORM_DAY = np.datetime64("2025-07-01")


def _words(text: str) -> list[str]:
    return text.split()


_FAMILY = _words("Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Mai Trịnh Đoàn")
_MIDDLE = _words("Thị Văn Ngọc Minh Hữu Đức Thanh Kim Xuân Quốc Hồng Công")
_GIVEN = _words(
    "An Bình Châu Dung Đức Giang Hà Hạnh Hiền Hòa Hùng Hương Khánh Lan Liên Long Mai Minh Nam Nga Ngọc Nhung "
    "Phúc Phương Quang Sơn Tâm Thảo Thắng Thu Thủy Trang Tú Tuấn Tuyết Vân Việt Xuân Yến Út"
)
_DISEASES = (
    ("I10", "", "Tăng huyết áp vô căn (nguyên phát)", "Amlodipin 5mg", 0.62),
    ("E11", "", "Bệnh đái tháo đường không phụ thuộc insuline", "Metformin 850mg", 0.18),
    ("I10", "E11.9;E78.5", "Tăng huyết áp; Đái tháo đường type 2", "Amlodipin 5mg; Metformin 500mg", 0.17),
    ("J44.9", "", "Bệnh phổi tắc nghẽn mạn tính", "Salbutamol 100mcg", 0.02),
    ("J02", "", "Viêm họng cấp", "Paracetamol 500mg", 0.01),  # not in the registry: rejected
)


def _communes() -> tuple[np.ndarray, np.ndarray]:
    """Codes of both vintages, side by side."""
    from ncdsurv.reference import load_reference

    pairs = load_reference().atoms.select("commune_2024", "commune_2025").drop_nulls().sort(pl.all())
    return pairs["commune_2024"].to_numpy(), pairs["commune_2025"].to_numpy()


def _people(n: int, station: int, rng: np.random.Generator) -> pl.DataFrame:
    old, new = _communes()
    place = (station * 97 + rng.integers(0, 4, n)) % len(old)  # neighbours
    woman = rng.random(n) < 0.55
    year, month, day = rng.integers(1935, 1990, n), rng.integers(1, 13, n), rng.integers(1, 29, n)
    names = np.array(
        [
            f"{_FAMILY[a]} {_MIDDLE[b]} {_GIVEN[c]}"
            for a, b, c in zip(rng.integers(0, 20, n), rng.integers(0, 12, n), rng.integers(0, 40, n))
        ]
    )
    if station % 33 == 1:
        names = np.array([unicodedata.normalize("NFD", name) for name in names])
    elif station % 33 == 2:
        from ncdsurv.synthetic.dirt import to_tcvn3

        names = np.array([to_tcvn3(name) for name in names])
    serial = rng.integers(0, 10**6, n)
    frame = pl.DataFrame(
        {
            "MA_BN": np.arange(n) + 10**6 * (station + 1),
            "HO_TEN": names,
            "year": year,
            "month": month,
            "day": day,
            "year_only": rng.random(n) < 0.05,
            "woman": woman,
            "serial": serial,
            "has_id": rng.random(n) < 0.85,
            "zero_lost": rng.random(n) < (1.0 if station % 20 == 3 else 0.01),
            "card": rng.integers(10**9, 10**10, n),
            "has_card": rng.random(n) < 0.93,
            "phone": rng.integers(3 * 10**8, 10**9, n),
            "has_phone": rng.random(n) < 0.8,
            "DIA_CHI": rng.integers(1, 20, n),
            "old": old[place],
            "new": new[place],
            "ill": rng.choice(len(_DISEASES), n, p=[row[-1] for row in _DISEASES]),
            "base": rng.normal(138, 12, n),
            "height": rng.integers(145, 175, n),
            "weight": rng.normal(58, 8, n),
        }
    )
    number = pl.format(
        "{}{}{}{}",
        pl.col("old").str.slice(0, 2).str.zfill(3),
        pl.col("woman").cast(pl.Int8),
        pl.col("year") % 100,
        pl.col("serial").cast(pl.String).str.zfill(6),
    )
    birth = pl.format("{}/{}/{}", _two("day"), _two("month"), "year")
    return frame.with_columns(
        pl.when("has_id").then(pl.when("zero_lost").then(number.str.strip_chars_start("0")).otherwise(number))
        .alias("SO_CCCD"),
        pl.when("has_card").then(pl.format("GD479{}", "card")).alias("SO_THE_BHYT"),
        pl.when("has_phone").then(pl.format("0{}", "phone")).alias("DIEN_THOAI"),
        pl.when("year_only").then(pl.col("year").cast(pl.String)).otherwise(birth).alias("NGAY_SINH"),
        pl.when("woman").then(pl.lit("Nữ")).otherwise(pl.lit("Nam")).alias("GIOI_TINH"),
        pl.format("Thôn {}", "DIA_CHI").alias("DIA_CHI"),
    )  # fmt: skip


def _two(name: str | pl.Expr) -> pl.Expr:
    return (pl.col(name) if isinstance(name, str) else name).cast(pl.String).str.zfill(2)


def visits_of(station: int, rows: int, seed: int) -> pl.DataFrame:
    """The visit table of one station: `rows` rows, ordered by day, as its system would show them."""
    rng = np.random.default_rng([seed, station])
    people = _people(max(1, rows // VISITS_EACH), station, rng)
    who = np.resize(np.arange(people.height), rows)
    turn = np.arange(rows) // people.height
    days = FIRST_DAY + (turn * 30 + rng.integers(0, 28, rows)).astype("timedelta64[D]")
    ill = people["ill"].to_numpy()[who]
    sbp = np.clip(people["base"].to_numpy()[who] + rng.normal(0, 9, rows), 95, 210).round()
    sbp[rng.random(rows) < 0.002] = 735
    measured = rng.random(rows) > 0.06
    sugar = np.isin(ill, [1, 2]) & (rng.random(rows) < 0.4)
    scale = 18.0 if station % 20 == 5 else 1.0
    facts = pl.DataFrame(
        {
            "at": days,
            "after": days >= REFORM_DAY,
            "minute": rng.integers(420, 1020, rows),
            "sbp": sbp.astype(int) * measured,
            "dbp": (sbp.clip(95, 210) * 0.58 + rng.normal(0, 5, rows)).round().astype(int) * measured,
            "glucose": np.where(sugar, (rng.normal(7.6, 1.8, rows).clip(3.5, 20) * scale).round(1), np.nan),
            "hba1c": np.where(sugar & (turn % 6 == 0), rng.normal(7.2, 1.1, rows).clip(4.5, 14).round(1), np.nan),
            "days": rng.choice([28, 30], rows),
            "wobble": rng.normal(0, 1, rows),
            "fault": rng.random(rows),
        }
    )  # fmt: skip
    table = pl.concat([people[who], facts], how="horizontal").sort("at", "MA_BN", maintain_order=True)
    columns = ("MA_BENH", "MA_BENH_KT", "CHAN_DOAN", "THUOC")
    named = {name: np.array([row[i] for row in _DISEASES]) for i, name in enumerate(columns)}
    order = table["ill"].to_numpy()
    two_digits = pl.col("fault") < 0.001
    clock = pl.format("{}:{}", _two(pl.col("minute") // 60), _two(pl.col("minute") % 60))
    return table.select(
        pl.int_range(1, pl.len() + 1).alias("STT"),
        "MA_BN", "HO_TEN", "NGAY_SINH", "GIOI_TINH", "SO_CCCD", "SO_THE_BHYT", "DIEN_THOAI", "DIA_CHI",
        pl.when(pl.col("fault").is_between(0.001, 0.003)).then(pl.lit("99999"))
        .otherwise(pl.when("after").then("new").otherwise("old")).alias("MAXA_CU_TRU"),
        pl.when(two_digits).then(pl.col("at").dt.strftime("%d/%m/%y")).otherwise(
            pl.format("{} {}", pl.col("at").dt.strftime("%d/%m/%Y"), clock)
        ).alias("NGAY_KHAM"),
        pl.when(pl.col("fault") < 0.1).then(pl.lit("07")).otherwise(pl.lit("05")).alias("MA_LOAI_KCB"),
        *(pl.Series(name, texts[order]) for name, texts in named.items() if name != "THUOC"),
        pl.col("sbp").alias("HUYETAP_CAO"), pl.col("dbp").alias("HUYETAP_THAP"),
        pl.col("glucose").fill_nan(None).alias("DUONG_HUYET"), pl.col("hba1c").fill_nan(None).alias("HBA1C"),
        (pl.col("weight") + pl.col("wobble")).round(1).alias("CAN_NANG"), pl.col("height").alias("CHIEU_CAO"),
        pl.Series("THUOC", named["THUOC"][order]), pl.col("days").alias("SO_NGAY_CAP"),
        pl.col("at").dt.offset_by("1mo").dt.strftime("%d/%m/%Y").alias("NGAY_TAI_KHAM"),
        pl.lit(None, pl.String).alias("DAT_MUC_TIEU"), pl.lit("Đang quản lý").alias("TRANG_THAI"),
    )  # fmt: skip


def write_tables(folder: Path, rows: int, files: int, seed: int = 1) -> list[Path]:
    """Visit tables of `files` stations in CSV, `rows` rows in all; one row in a hundred is written twice."""
    paths = []
    for station in range(files):
        own = rows // files + (station < rows % files)
        fresh = own - own // 101
        table = visits_of(station, fresh, seed)
        again = np.sort(np.random.default_rng([seed, station, 2]).choice(fresh, own - fresh, replace=False))
        table = pl.concat([table, table[again]]).sort("STT", maintain_order=True)
        path = folder / f"{20001 + station:05d}_kham.csv"
        head = "\ufeff" if station % 4 else "\ufeffTRẠM Y TẾ\nDANH SÁCH KHÁM BỆNH\n\n"
        path.write_text(head + table.write_csv(), encoding="utf-8")
        paths.append(path)
    return paths


def write_month(folder: Path, rows: int, files: int, month: str, seed: int = 1) -> tuple[Path, Path]:
    """Visit tables of `files` stations in CSV, those of one month (YYYY-MM) apart; later visits are left out.

    Returns:
        The folder of all months before and that of the month.
    """
    day = pl.col("NGAY_KHAM").str.split(" ").list.first().str.split("/")
    at = pl.format("20{}-{}", day.list.get(2).str.tail(2), day.list.get(1))
    parts = {folder / "exports-before": at < month, folder / "exports-month": at == month}
    for station in range(files):
        table = visits_of(station, rows // files, seed)
        for place, rows_of in parts.items():
            place.mkdir(exist_ok=True)
            path = place / f"{20001 + station:05d}_kham.csv"
            path.write_text("\ufeff" + table.filter(rows_of).write_csv(), encoding="utf-8")
    before, then = parts
    return before, then


_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_PARTS = {
    "XML1": "<TONG_HOP>{}</TONG_HOP>",
    "XML2": "<CHITIEU_CHITIET_THUOC><DSACH_CHI_TIET_THUOC>{}</DSACH_CHI_TIET_THUOC></CHITIEU_CHITIET_THUOC>",
    "XML4": "<CHITIEU_CHITIET_DICHVUCANLAMSANG><DSACH_CHI_TIET_CLS>{}</DSACH_CHI_TIET_CLS>"
    "</CHITIEU_CHITIET_DICHVUCANLAMSANG>",
    "XML5": "<CHITIEU_CHITIET_DIENBIENLAMSANG><DSACH_CHI_TIET_DIEN_BIEN_BENH>{}</DSACH_CHI_TIET_DIEN_BIEN_BENH>"
    "</CHITIEU_CHITIET_DIENBIENLAMSANG>",
}
_LINES = {"XML2": "CHI_TIET_THUOC", "XML4": "CHI_TIET_CLS", "XML5": "CHI_TIET_DIEN_BIEN_BENH"}


def _filled(part: str, values: dict[str, str]) -> str:
    """All fields of a part in the order of the annex, empty ones as empty elements, as systems write them."""
    from ncdsurv.synthetic.writers.his_xml import fields

    inner = "".join(f"<{n}>{values[n]}</{n}>" if values.get(n) else f"<{n}/>" for n in fields(part))
    return f"<{_LINES[part]}>{inner}</{_LINES[part]}>" if part in _LINES else inner


def _envelope(row: dict, facility: str) -> tuple[str, int]:
    """One HOSO and the number of part rows in it."""
    at = row["at"]
    stamp = f"{at[6:10]}{at[3:5]}{at[:2]}{at[11:13]}{at[14:16]}"
    born = row["NGAY_SINH"]
    next_on = row["NGAY_TAI_KHAM"]
    visit = f"{facility}{row['MA_BN']}{stamp}"
    shared = {"MA_LK": visit, "STT": "1"}
    parts = {
        "XML1": [
            shared | {
                "MA_BN": str(row["MA_BN"]), "HO_TEN": row["HO_TEN"], "SO_CCCD": row["SO_CCCD"] or "",
                "NGAY_SINH": f"{born}00000000" if len(born) == 4 else f"{born[6:]}{born[3:5]}{born[:2]}0000",
                "GIOI_TINH": "1" if row["GIOI_TINH"] == "Nam" else "2", "DIA_CHI": row["DIA_CHI"],
                "MAXA_CU_TRU": row["MAXA_CU_TRU"], "DIEN_THOAI": row["DIEN_THOAI"] or "",
                "MA_THE_BHYT": row["SO_THE_BHYT"] or "", "CHAN_DOAN_VAO": row["CHAN_DOAN"],
                "CHAN_DOAN_RV": row["CHAN_DOAN"], "MA_BENH_CHINH": row["MA_BENH"], "MA_BENH_KT": row["MA_BENH_KT"],
                "NGAY_VAO": stamp, "NGAY_RA": stamp, "KET_QUA_DTRI": "2", "MA_LOAI_KCB": row["MA_LOAI_KCB"],
                "MA_CSKCB": facility, "CAN_NANG": str(row["CAN_NANG"]), "PP_DIEU_TRI": "Nội khoa",
                "NGAY_TAI_KHAM": f"{next_on[6:]}{next_on[3:5]}{next_on[:2]}", "T_THUOC": "24000", "T_BHTT": "24000",
            }
        ],
        "XML2": [
            shared | {
                "TEN_THUOC": name, "LIEU_DUNG": f"1 viên/lần * 1 lần/ngày * {row['SO_NGAY_CAP']} ngày",
                "SO_LUONG": str(row["SO_NGAY_CAP"]), "DON_VI_TINH": "Viên", "DON_GIA": "800", "NGAY_YL": stamp,
            }
            for name in row["THUOC"].split("; ")
        ],
        "XML5": [shared | {"DIEN_BIEN_LS": f"Tỉnh. CSST&lt;M75_HA{row['HUYETAP_CAO']}/{row['HUYETAP_THAP']}_NT18&gt;"}]
        if row["HUYETAP_CAO"] else [],
        "XML4": [
            shared | {"MA_DICH_VU": code, "TEN_CHI_SO": name, "GIA_TRI": str(value), "DON_VI_DO": unit}
            for value, code, name, unit in (
                (row["DUONG_HUYET"], "23.0075.1494", "Định lượng Glucose máu (lúc đói)", "mmol/L"),
                (row["HBA1C"], "23.0083.1523", "Định lượng HbA1c", "%"),
            )
            if value is not None
        ],
    }  # fmt: skip
    files = ""
    for part, lines in parts.items():
        if lines:
            body = _HEAD + _PARTS[part].format("".join(_filled(part, line) for line in lines))
            content = base64.b64encode(body.encode()).decode()
            files += f"<FILEHOSO><LOAIHOSO>{part}</LOAIHOSO><NOIDUNGFILE>{content}</NOIDUNGFILE></FILEHOSO>"
    return f"<HOSO>{files}</HOSO>\n", sum(map(len, parts.values()))


def write_insurance(folder: Path, envelopes: int, files: int, seed: int = 1) -> tuple[list[Path], int]:
    """HIS XML of `files` stations, `envelopes` visits in all; returns the files and the rows of all parts."""
    paths, rows = [], 0
    for station in range(files):
        own = envelopes // files + (station < envelopes % files)
        facility = f"{20001 + station:05d}"
        records = []
        for row in visits_of(station, own, seed).rename({"NGAY_KHAM": "at"}).iter_rows(named=True):
            record, lines = _envelope(row, facility)
            records.append(record)
            rows += lines
        path = folder / f"{facility}_xml130.xml"
        path.write_text(
            f"{_HEAD}\n<GIAMDINHHS><THONGTINDONVI><MACSKCB>{facility}</MACSKCB></THONGTINDONVI><THONGTINHOSO>"
            f"<SOLUONGHOSO>{own}</SOLUONGHOSO><DANHSACHHOSO>\n{''.join(records)}"
            "</DANHSACHHOSO></THONGTINHOSO></GIAMDINHHS>\n",
            encoding="utf-8",
        )
        paths.append(path)
    return paths, rows
