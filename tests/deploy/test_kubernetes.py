"""The Kubernetes manifests, rendered: by their schemas, and against what mucktrack has: commands,
settings, ports, pages, metrics, rights."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml
from conftest import ROOT
from metrics_ports import METRICS_PORTS
from servers.programs import MissingProgramError, kustomize

from geofences.loader import load_city
from mucktrack.cli import cli
from mucktrack.rights import rights
from mucktrack.settings import SETTINGS, load_settings, unknown_variables
from streams.consumer import LEAVE_S
from streams.instruments import INSTRUMENTS
from streams.intake import RELEASE_S
from streams.version import version

FOLDER = ROOT / "ops" / "kubernetes"
OVERLAYS = ("small", "large", "large-keda")
VERSIONS = ("1.30", "1.37")
"""Of Kubernetes: the oldest that has `preStop: sleep` by default, and the newest that is known."""
OF_OPERATORS = {"kafka.strimzi.io/v1", "keda.sh/v1alpha1", "monitoring.coreos.com/v1"}
"""Whose kinds have no schema here; ops/kubernetes/README.md says so."""
OWN_PORTS = {
    "jt808": "gateway_port",
    "jt809": "gateway809_port",
    "http": "console_port",
}
UNITS = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "": 1.0}

Object = dict[str, Any]
Rendered = dict[str, list[Object]]


@pytest.fixture(scope="module")
def rendered() -> Rendered:
    """The objects of each overlay."""
    try:
        command = kustomize()
    except MissingProgramError as error:
        pytest.skip(str(error))
    texts = {
        name: subprocess.run(
            [*command, str(FOLDER / name)], capture_output=True, text=True, check=True
        ).stdout
        for name in OVERLAYS
    }
    return {name: list(yaml.safe_load_all(text)) for name, text in texts.items()}


@pytest.fixture(scope="module")
def passwords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Secret is made of."""
    folder = tmp_path_factory.mktemp("secrets") / "made"
    subprocess.run(
        ["sh", str(ROOT / "ops/compose/secrets.sh"), str(folder)], check=True, capture_output=True
    )
    return folder


def kinds(objects: list[Object], *names: str) -> list[Object]:
    return [one for one in objects if one["kind"] in names]


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Name and pod template of everything that runs."""
    for one in kinds(objects, "Deployment", "StatefulSet", "Job"):
        yield one["metadata"]["name"], one["spec"]["template"]


def containers(template: Object) -> list[Object]:
    spec = template["spec"]
    found: list[Object] = [*(spec.get("initContainers") or []), *spec["containers"]]
    return found


def own(objects: list[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Name, pod template and container of mucktrack's processes."""
    for name, template in pods(objects):
        for container in containers(template):
            if container["image"].startswith("mucktrack:"):
                yield name, template, container


def environment(objects: list[Object], container: Object) -> dict[str, str]:
    maps = {one["metadata"]["name"]: one["data"] for one in kinds(objects, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= maps[source["configMapRef"]["name"]]
    return found | {one["name"]: one["value"] for one in container["env"]}


def quantity(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]


def fits(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()


@pytest.mark.parametrize("kubernetes", VERSIONS)
def test_schemas(rendered: Rendered, kubernetes: str) -> None:
    for objects in rendered.values():
        for one in objects:
            if one["apiVersion"] not in OF_OPERATORS:
                kubernetes_validate.validate(one, kubernetes, strict=True)


def test_kinds_of_operators_are_told() -> None:
    told = (FOLDER / "README.md").read_text()
    assert all(f"`{name}`" in told for name in OF_OPERATORS)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_command_lines_and_settings(rendered: Rendered, passwords: Path, overlay: str) -> None:
    objects = rendered[overlay]
    names = set()
    for name, _, container in own(objects):
        names.add(name)
        assert container["image"] == f"mucktrack:{version()}"
        assert "command" not in container
        command: click.Command = cli
        words = list(container["args"])
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        command.make_context(command.name, words)
        variables = environment(objects, container)
        assert not unknown_variables(variables)
        here = {
            variable: value.replace("/run/secrets/mucktrack", str(passwords))
            for variable, value in variables.items()
        }
        settings = load_settings({}, here)
        assert settings.kafka_password
        assert settings.partitions == int(variables["MUCKTRACK_PARTITIONS"])
    assert names == {"topics", *METRICS_PORTS}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_files_are_mounted_from_what_there_is(
    rendered: Rendered, passwords: Path, overlay: str
) -> None:
    made = {path.name for path in passwords.iterdir()}
    for name, template in pods(rendered[overlay]):
        volumes = {one["name"]: one for one in template["spec"].get("volumes", [])}
        for volume in volumes.values():
            if volume.get("secret", {}).get("secretName") == "mucktrack-passwords":
                assert {item["key"] for item in volume["secret"]["items"]} <= made, name
        for container in containers(template):
            mounts = {
                one["mountPath"]: volumes.get(one["name"]) for one in container["volumeMounts"]
            }
            for variable in container.get("env", []):
                if variable["name"].endswith("_FILE") and variable["value"].startswith("/run/"):
                    folder, _, file = variable["value"].rpartition("/")
                    volume = mounts[folder]
                    assert volume is not None
                    items = volume["secret"]["items"]
                    assert file in {item["path"] for item in items}, (name, variable)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_ports_and_probes(rendered: Rendered, overlay: str) -> None:
    for name, template, container in own(rendered[overlay]):
        if name == "topics":
            continue
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        for port, number in ports.items():
            setting = METRICS_PORTS[name] if port == "metrics" else OWN_PORTS[port]
            assert number == SETTINGS[setting].default
        annotations = template["metadata"]["annotations"]
        assert int(annotations["prometheus.io/port"]) == ports["metrics"]
        for probe, page in {
            "startup": "/healthz",
            "liveness": "/healthz",
            "readiness": "/readyz",
        }.items():
            asked = container[f"{probe}Probe"]["httpGet"]
            assert (asked["path"], asked["port"]) == (page, "metrics")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_who_they_are_and_what_they_may(rendered: Rendered, overlay: str) -> None:
    for name, template in pods(rendered[overlay]):
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in containers(template):
            may = container["securityContext"]
            assert may["readOnlyRootFilesystem"], name
            assert may["allowPrivilegeEscalation"] is False
            assert may["capabilities"] == {"drop": ["ALL"]}
            requests, limits = (container["resources"][one] for one in ("requests", "limits"))
            for what in ("cpu", "memory"):
                assert 0 < quantity(requests[what]) <= quantity(limits[what]), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_redis_is_full_before_its_container_is(rendered: Rendered, overlay: str) -> None:
    (redis,) = (one for name, one in pods(rendered[overlay]) if name == "redis")
    (container,) = containers(redis)
    (most,) = (one["value"] for one in container["env"] if one["name"] == "REDIS_MAXMEMORY")
    arguments = container["args"]
    assert arguments[arguments.index("--maxmemory") + 1] == "$(REDIS_MAXMEMORY)"
    limit = quantity(container["resources"]["limits"]["memory"])
    assert 2 * quantity(most.replace("gb", "Gi")) <= limit


def test_rules_as_the_operator_of_prometheus_takes_them() -> None:
    """The lines of the README, with what they apply written out instead."""
    readme = (FOLDER / "README.md").read_text()
    lines = re.search(r"^    for part in .*?^    done$", readme, re.MULTILINE | re.DOTALL)
    assert lines
    written = re.sub(r"\| kubectl .*", "; echo ---", lines[0])
    done = subprocess.run(
        ["sh", "-euc", written], cwd=ROOT, capture_output=True, text=True, check=True
    )
    made = [one for one in yaml.safe_load_all(done.stdout) if one]
    for one, name in zip(made, ("recording", "alerts"), strict=True):
        assert (one["kind"], one["metadata"]["name"]) == ("PrometheusRule", f"mucktrack-{name}")
        assert one["spec"] == yaml.safe_load(
            (ROOT / f"ops/prometheus/rules/{name}.yml").read_text()
        )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_meet_something(rendered: Rendered, overlay: str) -> None:
    objects = rendered[overlay]
    labels = [template["metadata"]["labels"] for _, template in pods(objects)]
    selectors = [
        one["spec"]["selector"]["matchLabels"]
        for one in kinds(objects, "PodDisruptionBudget", "Deployment", "StatefulSet", "PodMonitor")
    ]
    selectors += [
        one["spec"]["selector"]
        for one in kinds(objects, "Service")
        if one["spec"].get("type") != "ExternalName"
    ]
    policies = [one["spec"] for one in kinds(objects, "NetworkPolicy")]
    selectors += [one["podSelector"].get("matchLabels", {}) for one in policies]
    for selector in selectors:
        assert any(fits(selector, one) for one in labels), selector
    # A budget for each of what may run twice, that lets a node be drained.
    budgets = kinds(objects, "PodDisruptionBudget")
    assert {one["spec"]["maxUnavailable"] for one in budgets} == {1}
    # What waits for Redis or Kafka is not ready, and must not hold up the drain that moves these.
    assert {one["spec"]["unhealthyPodEvictionPolicy"] for one in budgets} == {"AlwaysAllow"}
    assert {one["metadata"]["name"] for one in budgets} >= {
        one["metadata"]["name"] for one in kinds(objects, "Deployment")
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nobody_is_killed_while_it_gives_up_its_partitions(
    rendered: Rendered, overlay: str
) -> None:
    for _, template, container in own(rendered[overlay]):
        grace_s = template["spec"].get("terminationGracePeriodSeconds", 30)
        before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
        assert grace_s > 2 * (RELEASE_S + LEAVE_S) + before.get("seconds", 0)


def test_no_more_workers_than_partitions(rendered: Rendered) -> None:
    for overlay in ("large", "large-keda"):
        objects = rendered[overlay]
        scalers = kinds(objects, "HorizontalPodAutoscaler", "ScaledObject")
        assert len(scalers) == 1
        spec = scalers[0]["spec"]
        assert spec["scaleTargetRef"]["name"] == "worker"
        container = next(one for name, _, one in own(objects) if name == "worker")
        partitions = int(environment(objects, container)["MUCKTRACK_PARTITIONS"])
        most = spec.get("maxReplicas") or spec["maxReplicaCount"]
        assert most <= partitions
        worker = next(
            one for one in kinds(objects, "Deployment") if one["metadata"]["name"] == "worker"
        )
        assert "replicas" not in worker["spec"], (
            "the scaler's number would be reset by each upgrade"
        )


def test_the_metric_that_workers_are_scaled_by(rendered: Rendered) -> None:
    scaler = kinds(rendered["large"], "HorizontalPodAutoscaler")[0]
    asked = [
        one["external"]["metric"]["name"] for one in scaler["spec"]["metrics"] if "external" in one
    ]
    rule = yaml.safe_load((FOLDER / "large/prometheus-adapter.yaml").read_text())["rules"][
        "external"
    ]
    assert [one["name"]["as"] for one in rule] == asked
    series = rule[0]["seriesQuery"].split("{")[0]
    assert series in {one.name for one in INSTRUMENTS}


def test_rights_on_kafka(rendered: Rendered) -> None:
    given = {
        (one["metadata"]["name"], operation, acl["resource"]["type"], acl["resource"]["name"])
        for one in kinds(rendered["large"], "KafkaUser")
        for acl in one["spec"].get("authorization", {}).get("acls", [])
        for operation in acl["operations"]
    }
    cluster = kinds(rendered["large"], "Kafka")[0]["spec"]["kafka"]
    assert cluster["authorization"]["superUsers"] == ["admin"]
    assert given == {one for one in rights(SETTINGS["group"].default) if one[0] != "admin"}


def test_a_city_as_a_map_is_mounted(tmp_path: Path) -> None:
    """Files that are links into a hidden folder, which is a link itself."""
    demo = ROOT / "producers/cities/demo"
    hidden = tmp_path / "..2026_11_22"
    hidden.mkdir()
    (tmp_path / "..data").symlink_to(hidden.name)
    for file in demo.iterdir():
        (hidden / file.name).write_bytes(file.read_bytes())
        (tmp_path / file.name).symlink_to(f"..data/{file.name}")
    assert load_city(tmp_path).version == load_city(demo).version
