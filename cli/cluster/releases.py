"""Releases, good and bad, made while a company's days go on: rolled, refused, taken back."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Sequence

from cli.cluster.kubectl import Kubectl, Manifest
from cli.cluster.living import Living
from cli.cluster.stopping import ROLES
from cli.road import Json

ROLLOUT_SECONDS = 300
FAILING_SECONDS = 25
ROLLED = ("ledger", "dunning", "notify", "sync", "reporting")
BROKEN = "relance-drill-migration"
BROKEN_FILE = "9999_never_succeeds.py"
MIGRATION = """
from alembic import op
revision = "9999"
down_revision = "{newest}"
branch_labels = depends_on = None

def upgrade() -> None:
    op.execute("create table of_a_release_that_fails (x int)")
    raise RuntimeError("this migration fails, as the drill wants")
"""


class Releases:
    """Of one installation, while ``living`` works."""

    def __init__(self, kubectl: Kubectl, living: Living) -> None:
        self.kubectl = kubectl
        self.living = living

    def roll(self, service: str) -> Json:
        """Every pod of a service is replaced by a new one, as for a new version."""
        self.living.wait_until_it_moves()
        before, failed, started = self.living.progress, self.living.failed_calls, time.monotonic()
        names = [f"deployment/{service}-{role}" for role in ROLES]
        self.kubectl.run("rollout", "restart", *names)
        self.wait_ready(names)
        return {
            "service": service,
            "seconds": round(time.monotonic() - started, 1),
            "events_meanwhile": self.living.progress - before,
            "failed_calls": self.living.failed_calls - failed,
        }

    def wait_ready(self, names: Sequence[str], within: int = ROLLOUT_SECONDS) -> None:
        """Until the cluster says that they are rolled out. Raises ``KubectlFailed``."""
        for name in names:
            self.kubectl.run("rollout", "status", name, f"--timeout={within}s")

    def bad_image(self, deployment: str, container: str) -> Json:
        """A version that nobody has: it must not come up, and the one before must go on; then it is taken back."""
        image = f"relance-{deployment.partition('-')[0]}:no-such-version"
        self.kubectl.run("set", "image", f"deployment/{deployment}", f"{container}={image}")
        return self._refused([deployment])

    def bad_migration(self, service: str) -> Json:
        """A version whose migration fails: nothing of it remains, its pods do not become ready, and it is taken
        back. The migration is laid over the image, so that no other image is needed."""
        newest = self.kubectl.run(
            "exec", f"deployment/{service}-worker", "--", "python", "-P", "-c",
            f"from chassis.readiness import newest_migration as n; print(n('services.{service}'))",
        ).strip()  # fmt: skip
        text = MIGRATION.format(newest=newest)
        self.kubectl.run("create", "configmap", BROKEN, f"--from-literal={BROKEN_FILE}={text}")
        try:
            job = self._failing_job(service)
            self.kubectl.run("apply", "--filename=-", told=json.dumps(job))
            name = job["metadata"]["name"]
            failed = self.kubectl.succeeds("wait", f"job/{name}", "--for=condition=failed", "--timeout=120s")
            for role in ROLES:
                patch = {"spec": {"template": {"spec": _laid_over(service, role)}}}
                self.kubectl.run("patch", f"deployment/{service}-{role}", f"--patch={json.dumps(patch)}")
            found = self._refused([f"{service}-{role}" for role in ROLES])
            self.kubectl.run("delete", "job", name)
        finally:
            self.kubectl.run("delete", "configmap", BROKEN, "--ignore-not-found")
        return found | {"migration_failed": failed, "ok": found["ok"] and failed}

    def _failing_job(self, service: str) -> Manifest:
        """The migration of a service as the installation has it, with one more."""
        deployed = self.kubectl.read(f"deployment/{service}-worker")
        pod = copy.deepcopy(deployed["spec"]["template"]["spec"])
        container = pod["containers"][0]
        laid = _laid_over(service, "migrate")
        container |= {"name": "migrate", "args": ["migrate"], "ports": []}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe", "lifecycle"):
            container.pop(probe, None)
        container["env"] = [{"name": "RELANCE_OWNER_DATABASE_URL_FILE", "value": "/run/owner/owner"}]
        container["volumeMounts"] += [
            *laid["containers"][0]["volumeMounts"],
            {"name": "owner", "mountPath": "/run/owner"},
        ]
        owner = {
            "secretName": "relance-owners",
            "items": [{"key": service, "path": "owner"}],
            "defaultMode": 0o440,
        }
        pod["volumes"] += [*laid["volumes"], {"name": "owner", "secret": owner}]
        pod["restartPolicy"] = "Never"
        labels = {"app.kubernetes.io/part-of": "relance", "app.kubernetes.io/component": "migrate"}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": f"{service}-migrate-fails", "labels": labels},
            "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": pod}},
        }

    def _refused(self, deployments: Sequence[str]) -> Json:
        """The rollout does not come to an end, the work goes on by the pods of before, undoing ends it."""
        before, failed, started = self.living.progress, self.living.failed_calls, time.monotonic()
        named = [f"deployment/{name}" for name in deployments]
        stuck = not self.kubectl.succeeds("rollout", "status", named[-1], f"--timeout={FAILING_SECONDS}s")
        serving = all(self._serves(name) for name in deployments)
        works_on = self.living.wait_until_beyond(before)
        meanwhile = self.living.progress - before
        for name in named:
            self.kubectl.run("rollout", "undo", name)
        self.wait_ready(named)
        calls = self.living.failed_calls - failed
        return {
            "ok": stuck and serving and works_on and not calls,
            "refused": stuck,
            "pods_of_before_serve": serving,
            "events_meanwhile": meanwhile,
            "failed_calls": calls,
            "seconds_until_undone": round(time.monotonic() - started, 1),
        }

    def _serves(self, deployment: str) -> bool:
        found = self.kubectl.read(f"deployment/{deployment}")
        return int(found["status"].get("availableReplicas", 0)) >= int(found["spec"]["replicas"])


def _laid_over(service: str, container: str) -> Manifest:
    """The part of a pod that lays the failing migration beside the others."""
    place = f"/app/services/{service}/migrations/versions/{BROKEN_FILE}"
    mount = {"name": "drill", "mountPath": place, "subPath": BROKEN_FILE, "readOnly": True}
    return {
        "volumes": [{"name": "drill", "configMap": {"name": BROKEN}}],
        "containers": [{"name": container, "volumeMounts": [mount]}],
    }
