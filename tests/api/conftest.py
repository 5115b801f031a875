"""A service over two releases of a handful of invented communes, with and without keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ncdsurv.api import create_app, create_key
from tests.small_release import SmallStore, write_release

EARLIER, LATER = "2026-05-small", "2026-06-small"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> SmallStore:
    folder = tmp_path_factory.mktemp("releases")
    return SmallStore(write_release(folder, EARLIER), write_release(folder, LATER))


@pytest.fixture(scope="session")
def client(store: SmallStore) -> TestClient:
    """Answers without a key."""
    return TestClient(create_app(store, insecure_dev=True))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "api_keys.json"


@pytest.fixture(scope="session")
def guarded(store: SmallStore, keys: Path) -> TestClient:
    """Answers with a key only."""
    return TestClient(create_app(store, keys=keys))


@pytest.fixture(scope="session")
def key(keys: Path) -> str:
    return create_key("tester", keys=keys)
