"""What is deployed is confined, and agrees with itself: docker-compose.yml and deploy/kubernetes."""

import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.cluster.kubectl import rendered
from cli.credentials import AUTHORITIES, CERTIFICATE
from cli.places import ROOT, SERVICES
from services.console.settings import ConsoleSettings
from services.console.single_sign_on.rights import Rights
from services.console.single_sign_on.rights import parsed as rights_of

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
BY_TLS = yaml.safe_load((ROOT / "deploy/compose.tls.yaml").read_text(encoding="utf-8"))["services"]
ACCESS = ROOT / "deploy/kubernetes/components/tls/pg_hba.conf"
OVERLAYS = ("small", "secure", "production", "production-secure", "drill")
WITH_PROVIDER = "production-secure and oidc"
PROVIDER = [
    "RELANCE_CONSOLE_URL=https://relance.delcourt.example",
    "RELANCE_OIDC_ISSUER=https://id.delcourt.example",
    "RELANCE_OIDC_CLIENT_ID=relance-console",
]
GROUPS = 'make_people = true\n[[right]]\ngroup = "controllers"\ncompanies = ["delcourt"]\nrole = "user"\n'
OURS = (*SERVICES, "mail", "install", "tools")
Manifest = dict[str, Any]


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_ours_may_change_nothing_but_what_it_is_given(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_sees_its_own_credentials_alone(name: str) -> None:
    folders = [
        mount.split("}", 1)[1].split(":")[0] for mount in COMPOSE["services"][name]["volumes"] if "}" in mount
    ]
    assert sorted(folders) == sorted([f"/{name}", "/tokens"])


def test_what_installs_sees_passwords_and_no_key_that_signs() -> None:
    (mount,) = COMPOSE["services"]["install"]["volumes"]
    assert mount.rpartition("}")[2] == "/passwords:/credentials/passwords:ro"


def test_everything_that_stays_up_says_whether_it_is_healthy() -> None:
    image_says = set(SERVICES)
    # its image holds one program, which cannot ask itself
    cannot_say = {"collector"}
    silent = [
        name
        for name, service in COMPOSE["services"].items()
        if service.get("restart") and name not in image_says | cannot_say and "healthcheck" not in service
    ]
    assert silent == []
    assert "HEALTHCHECK --interval" in (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")


def test_only_the_console_and_the_mails_are_reached_from_outside() -> None:
    always = {name: service for name, service in COMPOSE["services"].items() if "profiles" not in service}
    assert {name for name, service in always.items() if "ports" in service} == {"console", "mail"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_by_tls_whoever_reads_credentials_knows_whom_to_believe_and_no_key() -> None:
    reading = {
        name for name, one in COMPOSE["services"].items() if "RELANCE_CREDENTIALS" in str(one.get("volumes"))
    }
    assert reading - {"postgres", "nats", "tools"} == {*SERVICES, "install"}
    for name in (*SERVICES, "install"):
        assert [mount.rpartition("}")[2] for mount in BY_TLS[name]["volumes"]] == [
            f"/authorities:{AUTHORITIES}:ro"
        ]
    assert BY_TLS["install"]["command"] == [*COMPOSE["services"]["install"]["command"], "--tls"]
    for server in ("postgres", "nats"):
        assert f"/tls/{server}:{CERTIFICATE}:ro" in BY_TLS[server]["volumes"][0]


def test_by_tls_postgres_is_started_as_before_and_asks_for_encryption() -> None:
    always, encrypted = COMPOSE["services"]["postgres"]["command"], BY_TLS["postgres"]["command"]
    assert encrypted[: len(always)] == always
    added = set(encrypted[len(always) :]) - {"-c"}
    assert {"ssl=on", "hba_file=/run/access/pg_hba.conf"} < added
    assert f"./{ACCESS.relative_to(ROOT)}:/run/access/pg_hba.conf:ro" in BY_TLS["postgres"]["volumes"]
    rules = [
        line.split()[0] for line in ACCESS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    assert rules == ["local", "hostssl"]


@pytest.fixture(scope="module", params=[*OVERLAYS, WITH_PROVIDER])
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    if request.param == WITH_PROVIDER:
        return with_provider(tmp_path_factory.mktemp("overlay"))
    return built(request.param)


def with_provider(folder: Path, overlay: str = "production-secure") -> list[Manifest]:
    """As an operator does it: an overlay of their own, with the component, their provider and their groups."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    here = Path(os.path.relpath(ROOT / "deploy/kubernetes", folder))
    own = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "relance",
        "resources": [str(here / "overlays" / overlay)],
        "components": [str(here / "components/oidc")],
        "configMapGenerator": [
            {"name": "relance-oidc", "literals": PROVIDER},
            {"name": "relance-oidc-rights", "files": ["rights.toml"]},
        ],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    (folder / "rights.toml").write_text(GROUPS, encoding="utf-8")
    return rendered(folder)


def built(overlay: str) -> list[Manifest]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    return rendered(ROOT / "deploy/kubernetes/overlays" / overlay)


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Name of what makes them: the pods' own description."""
    return {
        one["metadata"]["name"]: one["spec"]["template"] for one in manifests if "template" in one.get("spec", {})
    }


def configuration(manifests: list[Manifest]) -> dict[str, str]:
    """What every service is told; it is named after its content."""
    (found,) = [
        one["data"]
        for one in manifests
        if one["kind"] == "ConfigMap" and "RELANCE_HTTP_PORT" in one.get("data", {})
    ]
    return found  # type: ignore[no-any-return]


def test_every_pod_fits_the_restricted_standard(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests).items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name


def test_every_mount_is_of_a_volume_that_is_declared(manifests: list[Manifest]) -> None:
    claimed = {
        one["metadata"]["name"]: {
            claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])
        }
        for one in manifests
        if one["kind"] == "StatefulSet"
    }
    for name, pod in pods(manifests).items():
        declared = {volume["name"] for volume in pod["spec"].get("volumes", [])} | claimed.get(name, set())
        mounted = {mount["name"] for one in pod["spec"]["containers"] for mount in one["volumeMounts"]}
        assert mounted <= declared, name


def test_every_file_that_a_variable_names_is_mounted(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests).items():
        items = {
            volume["name"]: {item["path"] for item in volume["secret"].get("items", [])}
            for volume in pod["spec"].get("volumes", [])
            if "secret" in volume
        }
        for container in pod["spec"]["containers"]:
            places = {mount["mountPath"]: items.get(mount["name"], set()) for mount in container["volumeMounts"]}
            for variable in container.get("env", []):
                folder, _, file = variable.get("value", "").rpartition("/")
                if variable["name"].endswith("_FILE"):
                    assert folder in places, (name, variable)
                    assert not places[folder] or file in places[folder], (name, variable)


def test_images_are_those_of_this_version(manifests: list[Manifest]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    images = {one["image"] for pod in pods(manifests).values() for one in pod["spec"]["containers"]}
    ours = {image for image in images if image.startswith("relance-")}
    assert {image.rpartition(":")[2] for image in ours} == {version}
    assert all(":" in image and not image.endswith(":latest") for image in images)


def test_a_change_of_configuration_is_rolled_out_by_itself(manifests: list[Manifest]) -> None:
    (named,) = [
        one["metadata"]["name"]
        for one in manifests
        if one["kind"] == "ConfigMap" and "RELANCE_HTTP_PORT" in one.get("data", {})
    ]
    assert named != "relance"
    for name, pod in pods(manifests).items():
        for container in pod["spec"]["containers"]:
            told = [one["configMapRef"]["name"] for one in container.get("envFrom", [])]
            assert not told or told[0] == named, name


def test_whoever_sends_mail_knows_by_which_server(manifests: list[Manifest]) -> None:
    """Workers send messages; trials and daily reports leave while the caller waits."""
    made = pods(manifests)
    for name in ("notify-api", "notify-worker"):
        (container,) = made[name]["spec"]["containers"]
        settings = [one["configMapRef"]["name"] for one in container["envFrom"]]
        assert any(one.startswith("relance-smtp") for one in settings), name
        assert "/run/smtp" in [one["mountPath"] for one in container["volumeMounts"]], name


def test_no_secret_becomes_a_variable(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests).items():
        for container in pod["spec"]["containers"]:
            assert not any("secretRef" in one for one in container.get("envFrom", [])), name
            assert not any("secretKeyRef" in one.get("valueFrom", {}) for one in container.get("env", [])), name


def test_by_the_component_of_oidc_the_console_alone_knows_the_provider_and_reaches_it(tmp_path: Path) -> None:
    made = with_provider(tmp_path)
    maps = {one["metadata"]["name"]: one["data"] for one in made if one["kind"] == "ConfigMap"}
    knowing = {}
    for name, pod in pods(made).items():
        (container,) = pod["spec"]["containers"]
        for one in container.get("envFrom", []):
            if one["configMapRef"]["name"].startswith("relance-oidc"):
                knowing[name] = maps[one["configMapRef"]["name"]]
    assert knowing == {"console-api": dict(line.split("=") for line in PROVIDER)}
    spec = pods(made)["console-api"]["spec"]
    (container,) = spec["containers"]
    by_path = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    declared = {volume["name"]: volume for volume in spec["volumes"]}
    told = {one["name"]: one["value"] for one in container["env"]}
    assert told["RELANCE_OIDC_CLIENT_SECRET_FILE"] == "/run/oidc/client_secret"
    assert declared[by_path["/run/oidc"]]["secret"]["secretName"] == "relance-oidc"
    assert told["RELANCE_OIDC_RIGHTS_FILE"] == "/run/oidc-rights/rights.toml"
    rights = maps[declared[by_path["/run/oidc-rights"]]["configMap"]["name"]]
    assert rights_of(rights["rights.toml"]).companies == {"delcourt"}
    assert ways_out(made) == [443]


def test_without_it_the_console_goes_nowhere_outside() -> None:
    assert ways_out(built("production-secure")) == []


def ways_out(manifests: list[Manifest]) -> list[int]:
    """Ports by which the console leaves the cluster."""
    (policy,) = [one for one in manifests if one["metadata"]["name"] == "console-goes-out"]
    return [port["port"] for way in policy["spec"].get("egress", []) for port in way["ports"]]


def test_the_example_of_rights_gives_nothing_as_it_stands() -> None:
    brought = (ROOT / "deploy/kubernetes/components/oidc/rights.example.toml").read_text(encoding="utf-8")
    assert rights_of(brought) == Rights()


def test_compose_knows_every_setting_of_the_provider() -> None:
    told = set(COMPOSE["services"]["console"]["environment"])
    ours = {f"RELANCE_{name.upper()}" for name in ConsoleSettings.model_fields if name.startswith("oidc_")}
    ours = ours - {"RELANCE_OIDC_CLIENT_SECRET"} | {"RELANCE_OIDC_CLIENT_SECRET_FILE"}
    assert ours - told == {"RELANCE_OIDC_REQUESTS_PER_HOST"}


def test_where_tls_is_asked_for_nobody_reaches_a_server_without() -> None:
    made = pods(built("secure"))
    assert "ssl=on" in made["postgres"]["spec"]["containers"][0]["args"]
    (access,) = [one["data"]["pg_hba.conf"] for one in built("secure") if "pg_hba.conf" in one.get("data", {})]
    assert not any(line.startswith("host ") for line in access.splitlines())
    for name, pod in made.items():
        if name not in ("postgres", "nats"):
            mounts = {mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]}
            assert f"{AUTHORITIES}" in mounts, name
        given = [volume for volume in pod["spec"]["volumes"] if "-tls" in str(volume)]
        if name not in ("postgres", "nats"):
            assert "tls.key" not in str(given), name


def test_operators_are_told_to_refuse_whoever_comes_without_tls() -> None:
    made = built("production-secure")
    (cluster,) = [one["spec"] for one in made if one["kind"] == "Cluster"]
    assert cluster["postgresql"]["pg_hba"][0] == "hostnossl all all all reject"
    certificates = [one["spec"] for one in made if one["kind"] == "Certificate"]
    signed = {one["secretName"]: one.get("dnsNames", []) for one in certificates}
    assert set(cluster["certificates"].values()) == {"relance-postgres-tls"}
    assert {"postgres", "relance-postgres-rw"} <= set(signed["relance-postgres-tls"])
    assert {"relance-nats-tls", "relance-nats-routes-tls"} <= signed.keys()
    for name, pod in pods(made).items():
        assert AUTHORITIES.as_posix() in {
            mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]
        }, name
    (install,) = [pod for name, pod in pods(made).items() if name == "install"]
    assert install["spec"]["containers"][0]["args"][-2:] == ["--replicas=3", "--tls"]


def test_what_a_relay_published_is_never_lost_by_a_failover() -> None:
    """With ``preferred`` the primary goes on alone while no standby answers, and what it told the streams then is
    lost with it: every relay would refuse afterwards."""
    (cluster,) = [one["spec"] for one in built("production") if one["kind"] == "Cluster"]
    assert cluster["instances"] == 3
    assert cluster["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}


def test_small_fits_a_node_of_two_cores_while_a_service_is_rolled() -> None:
    cores = sum(
        milli(one["resources"]["requests"]["cpu"]) * made.get("replicas", 1)
        for made in (manifest["spec"] for manifest in built("small") if "template" in manifest.get("spec", {}))
        for one in made["template"]["spec"]["containers"]
    )
    assert cores <= 1500


def milli(cores: str) -> int:
    return int(cores[:-1]) if cores.endswith("m") else int(cores) * 1000


def test_every_selector_finds_its_pods(manifests: list[Manifest]) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(manifests).values()]
    for one in manifests:
        if one["kind"] in ("Service", "PodDisruptionBudget", "Deployment", "StatefulSet"):
            selector = one["spec"].get("selector", {})
            wanted = selector.get("matchLabels", selector).items()
            assert any(wanted <= found.items() for found in labels), one["metadata"]["name"]


def test_addresses_that_services_are_told_are_those_of_services(manifests: list[Manifest]) -> None:
    config = configuration(manifests)
    told = {value for name, value in config.items() if name.endswith("_URL")}
    there = {f"http://{one['metadata']['name']}:8000" for one in manifests if one["kind"] == "Service"}
    assert len(told) == len(SERVICES) - 1  # nobody asks the console
    assert told <= there


def test_pods_have_longer_to_stop_than_processes_take(manifests: list[Manifest]) -> None:
    config = configuration(manifests)
    for name, pod in pods(manifests).items():
        if name.endswith(("-api", "-worker", "-relay")):
            assert pod["spec"]["terminationGracePeriodSeconds"] > float(config["RELANCE_STOP_WITHIN"]), name
