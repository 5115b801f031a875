"""The manifest for Kubernetes in `docs/scale`: its schema, its own names, and commands that Dask still has."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

SCALE = ROOT / "docs" / "scale"
CRD = "operator/deployment/helm/dask-kubernetes-operator/crds/daskcluster.yaml"
yaml = pytest.importorskip("yaml", reason="the extra `cluster` is not installed (Dask brings yaml)")


@pytest.fixture
def manifest() -> dict[str, Any]:
    return yaml.safe_load((SCALE / "daskcluster.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The definition that the operator's chart installs, as strict as `kubectl apply` is."""
    pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    found = importlib.util.find_spec("dask_kubernetes")
    if found is None or not found.submodule_search_locations:
        pytest.skip(
            "dask-kubernetes is not installed: pip install dask-kubernetes (in an environment of its own)"
        )
    defined = yaml.safe_load((Path(found.submodule_search_locations[0]) / CRD).read_text("utf-8"))
    (version,) = [one for one in defined["spec"]["versions"] if one["name"] == "v1"]
    assert version["subresources"]["scale"]["specReplicasPath"] == ".spec.worker.replicas"
    return strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])


def strict(part: dict[str, Any]) -> dict[str, Any]:
    """A schema that refuses fields it does not know, wherever it lists some."""
    part = dict(part)
    if "properties" in part:
        part["properties"] = {name: strict(inner) for name, inner in part["properties"].items()}
        if not part.get("x-kubernetes-preserve-unknown-fields"):
            part["additionalProperties"] = False
    if "items" in part:
        part["items"] = strict(part["items"])
    return part


def containers(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {role: manifest["spec"][role]["spec"]["containers"][0] for role in ("worker", "scheduler")}


def test_the_manifest_is_what_the_operator_defines(manifest: dict[str, Any], schema: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator

    assert [error.message for error in Draft202012Validator(schema).iter_errors(manifest["spec"])] == []


def _replicas(spec: dict[str, Any]) -> None:
    spec["worker"]["replicas"] = "eight"


def _misspelt(spec: dict[str, Any]) -> None:
    spec["scheduler"]["serivce"] = spec["scheduler"].pop("service")


def _port(spec: dict[str, Any]) -> None:
    spec["scheduler"]["spec"]["containers"][0]["ports"][0]["containerPort"] = "tcp"


@pytest.mark.parametrize("breaking", [_replicas, _misspelt, _port])
def test_a_broken_manifest_is_not(
    manifest: dict[str, Any], schema: dict[str, Any], breaking: Callable[[dict[str, Any]], None]
) -> None:
    from jsonschema import Draft202012Validator

    broken = copy.deepcopy(manifest["spec"])
    breaking(broken)
    assert not Draft202012Validator(schema).is_valid(broken)


def test_its_commands_are_ones_that_dask_has(manifest: dict[str, Any]) -> None:
    from importlib.metadata import entry_points

    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    assert list(entry_points(group="console_scripts", name="dask"))
    (worker,), (scheduler,) = (entry_points(group="dask_cli", name=name) for name in ("worker", "scheduler"))
    found = containers(manifest)
    assert found["worker"]["command"] == ["dask", worker.name]
    assert found["scheduler"]["command"] == ["dask", scheduler.name]
    for entry, role in ((worker, "worker"), (scheduler, "scheduler")):
        known = {option for given in entry.load().params for option in given.opts}
        asked = [word for word in found[role].get("args", []) if word.startswith("--")]
        assert set(asked) <= known
    assert {"--name", "--nthreads", "--memory-limit"} <= set(found["worker"]["args"])


def test_the_service_leads_to_the_scheduler(manifest: dict[str, Any]) -> None:
    name, service = manifest["metadata"]["name"], manifest["spec"]["scheduler"]["service"]
    assert service["selector"] == {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}
    ports = {port["name"]: port["containerPort"] for port in containers(manifest)["scheduler"]["ports"]}
    assert {port["targetPort"]: port["port"] for port in service["ports"]} == ports
    probed = containers(manifest)["scheduler"]["readinessProbe"]["httpGet"]["port"]
    assert probed in ports
    # the operator hands this address to its workers, so the port is not ours to choose
    assert ports["tcp-comm"] == 8786


def test_the_page_names_what_the_operator_makes_of_the_manifest(manifest: dict[str, Any]) -> None:
    page, name = (SCALE / "README.md").read_text("utf-8"), manifest["metadata"]["name"]
    assert f"kubectl scale --replicas=16 daskcluster {name}\n" in page
    assert f"kubectl port-forward svc/{name}-scheduler 8786:8786 &\n" in page
    assert f"kubectl delete daskcluster {name}\n" in page
    (secret,) = [given["secretRef"]["name"] for given in containers(manifest)["worker"]["envFrom"]]
    assert f"kubectl create secret generic {secret} " in page
