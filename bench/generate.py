"""Made-up manifests with a seed: what a platform repository holds, in its usual proportions, one document a file."""

import random
from pathlib import Path

_WORDS = ("anchor", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbor", "iris", "juniper", "kelp")

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
  labels: {{app: {name}}}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      serviceAccountName: {name}
      automountServiceAccountToken: {automount}
      containers:
        - name: main
          image: registry.example/{name}:1.{number}
          args: ["--listen=:8080", "--log-level=info"]
          env:
            - name: LOG_LEVEL
              value: info
            - name: DATABASE_HOST
              value: db.{namespace}.svc
            - name: DATABASE_PASSWORD{suffix}
{value}
          volumeMounts:
            - name: config
              mountPath: /etc/config
      volumes:
        - name: config
          configMap:
            name: {name}
"""
_CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {namespace}
data:
  application.properties: |
    server.port=8080
    server.name={name}
    cache.ttl={number}
  LOG_LEVEL: info
"""
_ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {name}
  namespace: {namespace}
rules:
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list, watch]
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: [{name}]
    verbs: [get]
"""
_BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {name}
  namespace: {namespace}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {name}
subjects:
  - kind: ServiceAccount
    name: {name}
    namespace: {namespace}
"""
_ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: {namespace}
automountServiceAccountToken: {automount}
"""
_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
spec:
  selector:
    app: {name}
  ports:
    - port: 80
      targetPort: 8080
"""
_KINDS = (_DEPLOYMENT, _CONFIG, _ROLE, _BINDING, _ACCOUNT, _SERVICE)
_VALUE_FROM = """\
              valueFrom:
                secretKeyRef:
                  name: {name}
                  key: password"""


def write(folder: Path, *, documents: int, seed: int = 7) -> None:
    """Write `documents` files below `folder`, the same for the same seed."""
    # Not for secrets: the same seed must give the same input.
    dice = random.Random(seed)  # noqa: S311
    for number in range(documents):
        group, kind = divmod(number, len(_KINDS))
        name = f"{_WORDS[group % len(_WORDS)]}-{group}"
        namespace = f"team-{group % 40}"
        literal = dice.random() < 0.05
        value = f'              value: "{dice.choice(_WORDS)}-{dice.choice(_WORDS)}-{group}"' if literal else ""
        text = _KINDS[kind].format(
            name=name,
            namespace=namespace,
            number=number,
            automount="true" if dice.random() < 0.3 else "false",
            suffix="",
            value=value or _VALUE_FROM.format(name=name),
        )
        place = folder / f"{group // 200:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06}.yaml").write_text(text, encoding="utf-8")
