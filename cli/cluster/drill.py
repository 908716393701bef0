"""An installation is made on a cluster, works, is scaled, rolled and given bad releases, and is compared with one
that was left alone."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cli.cluster.bounds import budgets, network_policies, pod_security, used
from cli.cluster.kubectl import ClusterTrouble, Kubectl, Manifest, rendered
from cli.cluster.living import Living
from cli.cluster.releases import ROLLED, Releases
from cli.cluster.stopping import Stops
from cli.credentials import Credentials
from cli.faults.campaign import calm_days, compared
from cli.faults.days import Outcome
from cli.faults.outcomes import read, written
from cli.places import ROOT
from cli.road import Json
from cli.stack import Report

OVERLAY = ROOT / "deploy/kubernetes/overlays/drill"
DRILL = "relance.dev/drill"
"""Label of a namespace in which a drill may do as it likes."""
READY_SECONDS = 900
SCALED = {"dunning-worker": 3, "notify-worker": 3, "dunning-api": 2, "ledger-api": 2}
STOP_SECONDS = 30.0


class NotForDrills(ClusterTrouble):
    """The namespace is there and is no drill's."""

    def __init__(self, namespace: str) -> None:
        super().__init__(
            f"the namespace {namespace} is there already and has no label {DRILL}: a drill imports invented books,"
            " breaks releases and deletes the namespace, so it wants one of its own (namespace: in the overlay)"
        )


class NoDrillOverlay(ClusterTrouble):
    """The overlay has no namespace that is marked for drills."""

    def __init__(self, overlay: Path) -> None:
        super().__init__(
            f"{overlay} has no Namespace with the label {DRILL}: build it on deploy/kubernetes/overlays/drill"
        )


def drill(  # noqa: PLR0913 - what a person may choose
    overlay: Path,
    report: Report,
    *,
    context: str | None = None,
    entries: int = 2000,
    keep: bool = False,
    rolled: Sequence[str] = ROLLED,
) -> Json:
    """What was seen, step by step; ``ok`` is false when a step did not go as it must.

    Raises ``ClusterTrouble`` where the cluster or the overlay keeps it from going on, ``RoadBlocked`` and
    ``ChildFailed`` as the days without a release may.
    """
    manifests = rendered(overlay)
    kubectl = Kubectl(namespace_of(manifests, overlay), context)
    found: Json = {"kubernetes": _version(kubectl)}
    deployments = [one["metadata"]["name"] for one in manifests if one["kind"] == "Deployment"]
    try:
        found["install"] = _install(kubectl, overlay, manifests, deployments, report)
        found["scaled"] = _scale(kubectl, report)
        with Stops(kubectl) as stops:
            shaken, seen = _shaken(kubectl, entries, rolled, report)
        found |= seen
        found["stops"] = _told(stops)
        report("trying what the cluster holds to")
        _scale(kubectl, report)
        found["budgets"] = budgets(kubectl)
        found["pod_security"] = pod_security(kubectl)
        found["network_policies"] = network_policies(kubectl)
        found["used"] = used(kubectl)
    finally:
        if not keep:
            report(f"deleting the namespace {kubectl.namespace}")
            kubectl.run("delete", "namespace", kubectl.namespace, "--ignore-not-found", "--wait=false")
    report(f"the same {shaken.days} days by processes of this machine, without releases")
    found["compared"] = _compared(shaken, entries, report)
    found["ok"] = all(part["ok"] for part in found.values() if isinstance(part, dict) and "ok" in part) and all(
        one["ok"] for one in found["bad_releases"].values()
    )
    return found


def namespace_of(manifests: Sequence[Manifest], overlay: Path) -> str:
    for one in manifests:
        if one["kind"] == "Namespace" and DRILL in one["metadata"].get("labels", {}):
            return str(one["metadata"]["name"])
    raise NoDrillOverlay(overlay)


def _by_tls(manifests: Sequence[Manifest]) -> bool:
    """Whether the job that installs reaches the servers by TLS, and so everybody."""
    jobs = [one["spec"]["template"]["spec"] for one in manifests if one["kind"] == "Job"]
    return any("--tls" in container.get("args", []) for pod in jobs for container in pod["containers"])


def _version(kubectl: Kubectl) -> str:
    return str(json.loads(kubectl.run("version", "--output=json"))["serverVersion"]["gitVersion"])


def _install(
    kubectl: Kubectl, overlay: Path, manifests: Sequence[Manifest], deployments: Sequence[str], report: Report
) -> Json:
    """Credentials, ``kubectl apply -k``, jobs, rollouts: each waited for."""
    namespace = kubectl.namespace
    started = time.monotonic()
    if kubectl.succeeds("get", "namespace", namespace):
        if DRILL not in kubectl.read("namespace", namespace)["metadata"].get("labels", {}):
            raise NotForDrills(namespace)
        # jobs cannot be changed once made
        kubectl.run("delete", "job", "--selector=app.kubernetes.io/part-of=relance", "--ignore-not-found")
    else:
        (marked,) = [one for one in manifests if one["kind"] == "Namespace"]
        kubectl.run("apply", "--filename=-", told=json.dumps(marked))
        with tempfile.TemporaryDirectory(prefix="relance-drill-") as folder:
            secrets = Credentials(Path(folder) / "credentials", tls=_by_tls(manifests)).kubernetes(namespace)
            kubectl.run(
                "apply", "--filename=-", told=json.dumps({"apiVersion": "v1", "kind": "List", "items": secrets})
            )
    report(f"kubectl apply -k {overlay}")
    applied = kubectl.run("apply", f"--kustomize={overlay}").splitlines()
    jobs = [one["metadata"]["name"] for one in manifests if one["kind"] == "Job"]
    report(f"waiting for {len(jobs)} jobs and {len(deployments)} deployments")
    for job in jobs:
        kubectl.run("wait", f"job/{job}", "--for=condition=complete", f"--timeout={READY_SECONDS}s")
    migrated = round(time.monotonic() - started, 1)
    for name in deployments:
        kubectl.run("rollout", "status", f"deployment/{name}", f"--timeout={READY_SECONDS}s")
    return {
        "ok": True,
        "applied": len(applied),
        "jobs": len(jobs),
        "seconds_until_migrated": migrated,
        "deployments_ready": len(deployments),
        "seconds_until_ready": round(time.monotonic() - started, 1),
    }


def _scale(kubectl: Kubectl, report: Report) -> Json:
    """Workers and APIs apart."""
    report(f"scaling: {', '.join(f'{name} to {number}' for name, number in SCALED.items())}")
    for name, number in SCALED.items():
        kubectl.run("scale", f"deployment/{name}", f"--replicas={number}")
    for name in SCALED:
        kubectl.run("rollout", "status", f"deployment/{name}", f"--timeout={READY_SECONDS}s")
    ready = {
        one["metadata"]["name"]: one["status"].get("readyReplicas", 0)
        for one in kubectl.read("deployments")["items"]
    }
    return {"ok": all(ready[name] == number for name, number in SCALED.items()), "ready": ready}


def _shaken(kubectl: Kubectl, entries: int, rolled: Sequence[str], report: Report) -> tuple[Outcome, Json]:
    """A company's days while its services are rolled and given releases that fail."""
    report("a company's days begin")
    living = Living(kubectl, entries, report)
    releases = Releases(kubectl, living)
    try:
        rolls = []
        for service in rolled:
            rolls.append(releases.roll(service))
            report(f"rolled: {json.dumps(rolls[-1])}")
        bad = {}
        living.wait_until_it_moves()
        bad["image"] = releases.bad_image("dunning-worker", "worker")
        report(f"bad image, taken back: {json.dumps(bad['image'])}")
        living.wait_until_it_moves()
        bad["migration"] = releases.bad_migration("ledger")
        report(f"bad migration, taken back: {json.dumps(bad['migration'])}")
        outcome = living.finish()
    finally:
        living.stop()
    result = living.result
    return outcome, {
        "rolling": {"ok": not result["failed_calls"], "rolls": rolls},
        "bad_releases": bad,
        "calls": result["calls"],
        "failed_calls": result["failed_calls"],
        "workers_at_once": result["workers_at_once"],
    }


def _told(stops: Stops) -> Json:
    """How pods ended; a code above 128 is a signal that was needed."""
    killed = sorted({stop.deployment for stop in stops.seen if stop.exit_code not in (0, None)})
    return {
        "ok": 0 < stops.longest() < STOP_SECONDS and not killed,
        "pods": len(stops.seen),
        "ends_told": sum(stop.seconds is not None for stop in stops.seen),
        "longest_seconds": stops.longest(),
        "removed_within": max((stop.removed_after for stop in stops.seen), default=0.0),
        "killed": killed,
    }


def _compared(shaken: Outcome, entries: int, report: Report) -> Json:
    """Against the same days by processes of this machine, to which nothing happened."""
    reference = read(written(calm_days(shaken.days, entries, report)))
    return compared(reference, shaken)
