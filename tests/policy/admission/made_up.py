"""Made-up objects, from pieces that are near to what decides: the same for the same `Random`."""

from random import Random
from typing import Any


def pod(random: Random) -> dict[str, Any]:
    """Return an object with a pod spec, of any kind, that may run a program of the control plane."""
    containers = [
        {"name": f"c{index}", "image": random.choice(IMAGES), **_started(random)}
        for index in range(random.randint(1, 3))
    ]
    spec: dict[str, Any] = {"containers": containers, "volumes": [{"name": "v", "emptyDir": {}}]}
    if random.random() < 0.3:
        spec["initContainers"] = [{"name": "init", "image": random.choice(IMAGES), **_started(random)}]
    if random.random() < 0.4:
        spec[random.choice(["serviceAccountName", "serviceAccount"])] = "web"
    return _workload(random, spec)


IMAGES = (
    "web", "quay.io/team/web:1", "registry.k8s.io/kube-apiserver:v1.36.3", "registry:5000/etcd@sha256:00", "etcd",
    "registry.k8s.io/kube-proxy:v1", "quay.io/etcd/exporter:2", "localhost/kubelet:1@sha256:00", "hyperkube:v1",
)  # fmt: skip
PROGRAMS = ("kube-apiserver", "/usr/local/bin/etcd", "kubelet", "kube-scheduler", "kube-proxy", "x/kube-apiserver")
FLAGS = (
    "--anonymous-auth=false", "--anonymous-auth", "false", "--anonymous_auth=true", "-anonymous-auth", "", "-", "--",
    "--anonymous-auth=", "--authorization-mode=Node,RBAC", "--authorization-mode", "RBAC", "--authorization_mode=a=b",
    "--authorization-mode-x=RBAC", "--x-authorization-mode=RBAC", "--audit-log-path=/var/log/a b", "-v=2", "---v",
    "--audit-log-path", "/var/log/audit", "=x", "--=x", "'--anonymous-auth=true'",
)  # fmt: skip
PIECES = (
    "exec ", "kube-apiserver ", "/usr/bin/etcd ", "echo ", "&& ", "; ", ";", "set -e\n", "kubelet", "\\\n", "\t", "x ",
    "'kube-scheduler' ", "exec\tkubelet ", '"--anonymous-auth=false" ', "--authorization-mode 'RBAC'; ", "kubelet-x ",
    "--anonymous-auth=true;", "exec exec ", "&&etcd ", "  ",
)  # fmt: skip


def _started(random: Random) -> dict[str, list[str]]:
    flags = [random.choice(FLAGS) for _ in range(random.randint(0, 6))]
    script = "".join(random.choice(PIECES) for _ in range(random.randint(1, 7)))
    shell = [random.choice(["sh", "/bin/bash", "ash"]), "-c", script]
    program = random.choice(PROGRAMS)
    hyperkube = [random.choice(["hyperkube", "/hyperkube"]), random.choice(["apiserver", "kubelet", "proxy", "--v=1"])]
    return random.choice([
        {}, {"args": flags}, {"command": [program], "args": flags}, {"command": [program, *flags]},
        {"command": shell, "args": flags[:1]}, {"args": shell}, {"command": [*hyperkube, *flags]},
    ])  # fmt: skip


def delivered(random: Random) -> dict[str, Any]:
    """Return an object with a pod spec that names Secrets in some of all possible places."""

    def container(name: str) -> dict[str, Any]:
        maybe = random.random() < 0.5
        env = [
            {"name": "PLAIN", "value": "x"},
            {"name": "ONE", "valueFrom": {"secretKeyRef": {"name": "one", "key": "k", "optional": maybe}}},
            {"name": "TWO", "valueFrom": {"secretKeyRef": {"name": "two", "key": "k"}}},
            {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "map", "key": "k"}}},
        ]  # fmt: skip
        sources = [
            {"secretRef": {"name": "all"}}, {"configMapRef": {"name": "map"}},
            {"prefix": "P_", "secretRef": {"name": "p", "optional": True}},
        ]  # fmt: skip
        return {"name": name, "image": "web", "env": _some(random, env), "envFrom": _some(random, sources)}

    volumes = [
        {"name": "a", "secret": {"secretName": "file"}},
        {"name": "b", "secret": {"secretName": "maybe", "optional": True}},
        {"name": "c", "projected": {"sources": [{"secret": {"name": "shown"}}, {"configMap": {"name": "map"}}]}},
        {"name": "d", "csi": {"driver": "d.example", "nodePublishSecretRef": {"name": "driver"}}},
        {"name": "e", "azureFile": {"shareName": "s", "secretName": "share"}},
        {"name": "f", "cephfs": {"monitors": ["m"], "secretRef": {"name": "ceph"}}},
        {"name": "g", "emptyDir": {}},
        {"name": "h", "iscsi": {"targetPortal": "p", "iqn": "iqn.2026-01.a:x", "lun": 0, "secretRef": {"name": "i"}}},
    ]  # fmt: skip
    spec: dict[str, Any] = {
        "containers": [container("c1"), container("c2")],
        "initContainers": [container("init")],
        "volumes": _some(random, volumes),
        "imagePullSecrets": _some(random, [{"name": "registry"}, {"name": "mirror"}]),
    }
    return _workload(random, spec)


def _workload(random: Random, spec: dict[str, Any]) -> dict[str, Any]:
    version, kind = random.choice([
        ("v1", "Pod"), ("apps/v1", "Deployment"), ("batch/v1", "CronJob"), ("v1", "PodTemplate"), ("batch/v1", "Job"),
        ("argoproj.io/v1alpha1", "Rollout"), ("serving.knative.dev/v1", "Service"), ("keda.sh/v1alpha1", "ScaledJob"),
        ("serving.knative.dev/v1", "Revision"),
    ])  # fmt: skip
    labels = {"app": "a"}
    metadata = {"name": "view", "namespace": random.choice(["default", "shop"])}
    template = {"metadata": {"labels": labels}, "spec": spec}
    job = {"template": {**template, "spec": {"restartPolicy": "Never", **spec}}}
    body: dict[str, Any] = {
        "Pod": {"spec": spec},
        "Revision": {"spec": spec},
        "PodTemplate": {"template": template},
        "Job": {"spec": job},
        "CronJob": {"spec": {"schedule": "1 1 * * *", "jobTemplate": {"spec": job}}},
        "ScaledJob": {"spec": {"jobTargetRef": job}},
    }.get(kind, {"spec": {"selector": {"matchLabels": labels}, "template": template}})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}


def _some(random: Random, entries: list[Any]) -> list[Any]:
    return [entry for entry in entries if random.random() < 0.5]


def store(random: Random) -> dict[str, Any]:
    """Return an object of an external store, or one that copies from it."""
    eso, vso = "external-secrets.io/v1", "secrets.hashicorp.com/v1beta1"
    every = random.choice(
        ["1h", "1h30m", "0", "0s", "0h0m", "1.5h", ".5m", "soon", "10", "-1h", "", "100ms", "0.0s", 0]
    )
    spec: dict[str, Any] = {} if random.random() < 0.2 else {"refreshInterval": every, "refreshAfter": every}
    if random.random() < 0.2:
        spec["refreshPolicy"] = random.choice(["CreatedOnce", "OnChange", "Periodic"])
    version, kind = random.choice([
        (eso, "ExternalSecret"), (eso, "ClusterExternalSecret"), (eso, "PushSecret"), (eso, "ClusterPushSecret"),
        (vso, "VaultStaticSecret"), (vso, "VaultPKISecret"), (vso, "HCPVaultSecretsApp"), (vso, "VaultConnection"),
        (vso, "VaultAuth"), (vso, "VaultAuthGlobal"), ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"),
        *[(eso, "SecretStore"), (eso, "ClusterSecretStore")] * 6,
    ])  # fmt: skip
    if kind == "ClusterExternalSecret":
        spec = {"externalSecretSpec": spec, "refreshTime": "1m"}
    elif kind == "ClusterPushSecret":
        spec = {"pushSecretSpec": spec}
    elif kind.endswith("SecretStore"):
        spec = {"provider": random.choice([_provider(random), _provider(random), {}, {"aws": {}}])}
    elif kind.startswith("VaultAuth"):
        spec = _login(random)
    elif kind == "SecretProviderClass":
        managed = {"useVMManagedIdentity": random.choice(["true", "True", "false"])}
        parameters = [{}, managed, {"usePodIdentity": "true"}, {"auth": "provider-adc"}, {"roleName": "web"}]
        spec = {"provider": random.choice(["azure", "gcp", "vault"]), "parameters": random.choice(parameters)}
    metadata: dict[str, Any] = {"name": "view"}
    if not kind.startswith("Cluster"):
        metadata["namespace"] = "shop"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _provider(random: Random) -> dict[str, Any]:
    name = random.choice(["vault", "aws", "gcpsm", "azurekv", "kubernetes", "fake", "webhook", "doppler", "oracle"])
    config: dict[str, Any] = {"server": "s"}
    key = {"name": "k", "key": "id"} | ({"namespace": "ops"} if random.random() < 0.4 else {})
    account = {"name": "w"} | ({"namespace": "ops"} if random.random() < 0.4 else {})
    inner = random.choice([
        {}, {"role": "r"}, {"serviceAccountRef": account}, {"serviceAccount": account}, {"secretRef": key},
        {"secretRef": {"idSecretRef": {"name": "x"}}}, {"secretRef": {"accessKeyIDSecretRef": key}},
        {"jwt": {"serviceAccountRef": account}},
        {"deep": {"deeper": {"tokenSecretRef": key}}}, {"caProvider": key}, {"name": "n", "other": {"clientId": key}},
        {"list": [{"token": key}, {"name": "plain"}]},
    ])  # fmt: skip
    if random.random() < 0.8:
        by = random.choice([
            "kubernetes", "iam", "cert", "appRole", "jwt", "tokenSecretRef", "workloadIdentityFederation", "secretRef",
        ])  # fmt: skip
        config["auth"] = random.choice([inner, {by: inner}, {by: inner, "kubernetes": {"role": "r"}}])
    if random.random() < 0.3:
        config |= random.choice([
            {"caProvider": key}, {"serviceAccountRef": account}, {"authRef": key},
            {"secrets": [{"name": "n", "secretRef": key}]},
        ])  # fmt: skip
    if name == "azurekv":
        config |= random.choice([
            {"authType": "ManagedIdentity"}, {"authType": "WorkloadIdentity"}, {"authSecretRef": {"clientId": key}},
            {"authType": "ServicePrincipal", "authSecretRef": {"clientId": key, "clientCertificate": key}},
        ])  # fmt: skip
    return {name: config}


def _login(random: Random) -> dict[str, Any]:
    method = random.choice(["kubernetes", "appRole", "aws", "jwt", ""])
    login = random.choice([
        {}, {"role": "r"}, {"serviceAccount": "w"}, {"irsaServiceAccount": "w"}, {"secretRef": "s"},
        {"secretIDRef": "s"},
    ])  # fmt: skip
    spec: dict[str, Any] = {"method": method} if method and random.random() < 0.7 else {"defaultAuthMethod": method}
    return spec | ({method: login} if method and random.random() < 0.8 else {})


def binding(random: Random) -> dict[str, Any]:
    """Return a binding of some principals, of the platform and others."""
    group = "rbac.authorization.k8s.io"
    names = (
        "ada", "system:masters", "system:nodes", "system:node:n1", "system:kube-scheduler", "system:authenticated",
        "system:serviceaccounts", "system:serviceaccounts:shop", "system:bootstrappers:kubeadm", "system:monitoring",
        "system:serviceaccount:shop:web", "system:serviceaccount:kube-system:job-controller", "system:serviceaccount:a",
        "system:serviceaccount:a:b:c", "system:serviceaccount::x", "system:serviceaccount:A:b",
        "system:unauthenticated",
    )  # fmt: skip
    subjects: list[dict[str, str]] = []
    for _ in range(random.randint(0, 4)):
        kind = random.choice(["User", "Group", "ServiceAccount"])
        if kind == "ServiceAccount":
            name = random.choice(["web", "coredns", "job-controller", "default"])
            subjects.append({"kind": kind, "name": name, "namespace": random.choice(["shop", "kube-system"])})
        else:
            subjects.append({"kind": kind, "name": random.choice(names), "apiGroup": group})
    kind = random.choice(["RoleBinding", "ClusterRoleBinding"])
    role = "Role" if kind == "RoleBinding" and random.random() < 0.5 else "ClusterRole"
    metadata = {"name": "view"} | ({"namespace": "shop"} if kind == "RoleBinding" else {})
    reference = {"apiGroup": group, "kind": role, "name": random.choice(["view", "cluster-admin", "own"])}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "roleRef": reference, "subjects": subjects}
