"""Pages lose and repeat nothing; an answer about a named release can be kept for ever."""

from __future__ import annotations

import re

import polars as pl
import pytest
from starlette.testclient import TestClient

from ncdsurv.api.answers import to_csv
from tests.small_release import SmallStore

LINK = re.compile(r'^<([^>]+)>; rel="next"$')


def follow(client: TestClient, path: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    while True:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["page"]["count"] == len(body["data"])
        rows += body["data"]
        if body["page"]["next"] is None:
            assert "link" not in answer.headers
            return rows
        found = LINK.match(answer.headers["link"])
        assert found
        path = found[1]


@pytest.mark.parametrize("limit", [37, 100, 10_000])
def test_pages_put_together_are_the_whole(client: TestClient, store: SmallStore, limit: int) -> None:
    rows = follow(client, f"/v1/data?indicator=control_rate&preset=tt37&level=province&limit={limit}")
    whole = store.latest().values("control_rate", preset="tt37", level="province")
    assert [row["value"] for row in rows] == whole["value"].to_list()
    assert len(rows) == whole.height


def test_a_full_page_that_is_the_last_has_no_next(client: TestClient, store: SmallStore) -> None:
    height = store.latest().values("control_rate", preset="tt37", level="nation", vintage="2025").height
    path = "/v1/data?indicator=control_rate&preset=tt37&level=nation&vintage=2025"
    assert client.get(f"{path}&limit={height}").json()["page"]["next"] is None
    assert client.get(f"{path}&limit={height - 1}").json()["page"]["next"] is not None


def test_a_next_page_stays_on_its_release(client: TestClient) -> None:
    link = client.get("/v1/data?limit=1").headers["link"]
    assert "release=2026-06-small" in link


def test_a_cursor_fits_one_release_and_one_query(client: TestClient) -> None:
    cursor = client.get("/v1/data?limit=1&level=province").json()["page"]["next"]
    assert client.get(f"/v1/data?limit=5&level=province&cursor={cursor}").status_code == 200
    for other in ("level=commune", "level=province&release=2026-05-small", "level=province&sex=any"):
        answer = client.get(f"/v1/data?{other}&cursor={cursor}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "cursor"


def test_csv_pages_have_links_too(client: TestClient) -> None:
    answer = client.get("/v1/data?format=csv&limit=3")
    assert len(answer.text.splitlines()) == 4
    assert LINK.match(answer.headers["link"])


PATHS = [
    "/v1/data?indicator=control_rate&level=nation",
    "/v1/data?indicator=control_rate&level=nation&format=csv",
    "/v1/indicators",
    "/v1/periods",
    "/v1/availability",
    "/v1/quality",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_named_release_is_kept_for_ever_the_latest_is_not(client: TestClient, path: str) -> None:
    joint = "&" if "?" in path else "?"
    named = client.get(f"{path}{joint}release=2026-06-small")
    assert "immutable" in named.headers["cache-control"]
    latest = client.get(path)
    assert "immutable" not in latest.headers["cache-control"]
    assert "max-age=60" in latest.headers["cache-control"]
    assert "Authorization" in latest.headers["vary"]


@pytest.mark.parametrize(
    "path", [*PATHS, "/v1/releases", "/v1/forms/tt23_2025?area=52&period=2026-06&format=xlsx"]
)
def test_an_answer_already_held_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    again = client.get(path, headers={"if-none-match": f'"other", {tag}'})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == tag
    assert client.get(path, headers={"if-none-match": '"other"'}).content == first.content


def test_etags_tell_release_query_and_format_apart(client: TestClient) -> None:
    paths = [
        "/v1/data?level=nation",
        "/v1/data?level=province",
        "/v1/data?level=nation&release=2026-05-small",
        "/v1/data?level=nation&format=csv",
    ]
    tags = [client.get(path).headers["etag"] for path in paths]
    tags.append(client.get(paths[0], headers={"accept": "text/csv"}).headers["etag"])
    assert len(set(tags)) == len(tags)
    assert client.get(paths[0]).headers["etag"] == tags[0]


def test_an_invalid_request_is_never_304(client: TestClient) -> None:
    answer = client.get("/v1/data?level=provnce", headers={"if-none-match": "*"})
    assert answer.status_code == 422


def test_csv_text_is_not_live_and_numbers_stay() -> None:
    signs = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "safe", None]
    text = to_csv(pl.DataFrame({"name": signs, "change": [-1.5] * len(signs)}))
    read = pl.read_csv(text)
    assert read["change"].to_list() == [-1.5] * len(signs)
    for given, written in zip(signs, read["name"].to_list()):
        assert written == (given if given in ("safe", None) else f"'{given}")
