"""What the cluster itself holds to: disruption budgets, the pod security standard, network policies.

Each is tried, since a cluster may take the object and not enforce it.
"""

from __future__ import annotations

import json

from cli.cluster.kubectl import Kubectl, KubectlFailed, Manifest
from cli.cluster.stopping import ROLES
from cli.road import Json

NOBODY_ANSWERS = (
    "import socket,sys\n"
    "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 4).close()\n"
    "except socket.gaierror: sys.exit(8)\n"
    "except OSError: sys.exit(0)\n"
    "sys.exit(7)\n"
)
UNKNOWN = "unknown"
NOT_ENFORCED = "not enforced by this cluster"


def budgets(kubectl: Kubectl, service: str = "dunning") -> Json:
    """Two workers of a service are to be evicted at once: the budget lets one go, until another is ready."""
    pods = [
        pod["metadata"]["name"] for pod in kubectl.items("pods", name=service, component="worker") if stays(pod)
    ]
    answers = [_evict(kubectl, pod) for pod in sorted(pods)[:2]]
    return {
        "ok": answers == ["evicted", "refused"],
        "of_two": answers,
        "budget": "maxUnavailable 1 of the workers",
    }


def stays(pod: Manifest) -> bool:
    """It runs, is ready, and nobody has asked it to go."""
    ready = [one["status"] for one in pod["status"].get("conditions", []) if one["type"] == "Ready"]
    return ready == ["True"] and "deletionTimestamp" not in pod["metadata"]


def _evict(kubectl: Kubectl, pod: str) -> str:
    """``evicted``, or ``refused`` by a budget."""
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": kubectl.namespace},
    }
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/{pod}/eviction"
    said = ""
    for version in ("policy/v1", "policy/v1beta1"):  # the latter before Kubernetes 1.22
        try:
            kubectl.run(
                "create", f"--raw={path}", "--filename=-", told=json.dumps(eviction | {"apiVersion": version})
            )
        except KubectlFailed as failure:
            said = failure.said
            if "disruption budget" in said:
                return "refused"
        else:
            return "evicted"
    return said.strip()[-200:]


def pod_security(kubectl: Kubectl) -> str:
    """Whether a pod that runs as root is refused in the namespace."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root"},
        "spec": {"containers": [{"name": "root", "image": "root", "securityContext": {"runAsUser": 0}}]},
    }
    try:
        kubectl.run("create", "--dry-run=server", "--filename=-", told=json.dumps(pod))
    except KubectlFailed as failure:
        return "enforced" if "PodSecurity" in failure.said else f"{UNKNOWN}: {failure.said.strip()[-200:]}"
    return NOT_ENFORCED


def network_policies(kubectl: Kubectl) -> str:
    """Whether the mail server of the drill is kept from PostgreSQL, which no policy lets it reach."""
    asked = ("python", "-P", "-c", NOBODY_ANSWERS, "postgres", "5432")
    try:
        kubectl.run("exec", "deployment/mail", "--", *asked)
    except KubectlFailed as failure:
        return NOT_ENFORCED if "code 7" in failure.said else f"{UNKNOWN}: {failure.said.strip()[-200:]}"
    return "enforced"


def used(kubectl: Kubectl) -> Json:
    """Of every pod of ours: the most memory it held, in MiB, and its processor time, in seconds."""
    found: Json = {}
    for pod in kubectl.items("pods", **{"part-of": "relance"}):
        name = pod["metadata"]["name"]
        role = pod["metadata"]["labels"].get("app.kubernetes.io/component")
        if role not in ROLES or not stays(pod):
            continue
        try:
            said = kubectl.run("exec", name, "--", "cat", "/proc/1/status", "/proc/1/stat")
        except KubectlFailed:  # it went meanwhile
            continue
        peak = next(int(line.split()[1]) for line in said.splitlines() if line.startswith("VmHWM"))
        # the command's name, in brackets, may hold blanks; utime and stime follow as 12th and 13th, in 1/100 s
        fields = said.splitlines()[-1].rpartition(")")[2].split()
        labels = pod["metadata"]["labels"]
        deployment = f"{labels['app.kubernetes.io/name']}-{role}"
        seen = found.setdefault(deployment, {"peak_mb": 0, "cpu_seconds": 0.0})
        seen["peak_mb"] = max(seen["peak_mb"], peak // 1024)
        seen["cpu_seconds"] = round(seen["cpu_seconds"] + (int(fields[11]) + int(fields[12])) / 100, 1)
    return dict(sorted(found.items()))
