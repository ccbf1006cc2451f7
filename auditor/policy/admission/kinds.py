"""Which resources of an API server a type of ours is: group and plural name, and which types no API server admits.

A custom kind that is not in the table is matched by its group and its kind, so no plural name is ever guessed.
"""

from collections.abc import Mapping

from auditor.model.record import record
from auditor.model.stores import ESO, VSO
from auditor.policy.admission.constants import constant

_PREFIX = "kubernetes/"


@record(order=True)
class Admitted:
    """How an API server knows the objects of one type."""

    type: str
    group: str
    resource: str
    """Plural name, or `*` where only the group is known; then the kind decides."""

    @property
    def kind(self) -> str:
        """The kind, as it stands in an object."""
        return kind(self.type)


FILES: Mapping[str, str] = {
    "kubernetes/EncryptionConfiguration": "encryption configurations",
    "kubernetes/Policy": "audit policies",
    "kubernetes/KubeletConfiguration": "kubelet configurations",
}
"""Types with an `apiVersion` that are files of a program and no objects of an API server."""

VIEWS: Mapping[str, str] = {
    "ci": "it judges CI definitions, which are files that no API server sees",
    "ci_trust": "it reads trust policies as JSON, which an admission policy cannot",
}
"""Views that no API server can derive, and why."""

UNSEEN: Mapping[str, str] = {
    f"{_PREFIX}{name}": "an API server does not show its own admission policies to admission policies"
    for name in (
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    )
}
"""Types that are objects and yet pass by every admission policy (Kubernetes, `admissionConfigResources`), and why."""

_BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "": {
        "ConfigMap": "configmaps",
        "LimitRange": "limitranges",
        "Namespace": "namespaces",
        "Node": "nodes",
        "PersistentVolume": "persistentvolumes",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
        "PodTemplate": "podtemplates",
        "ReplicationController": "replicationcontrollers",
        "ResourceQuota": "resourcequotas",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps": {
        "DaemonSet": "daemonsets",
        "Deployment": "deployments",
        "ReplicaSet": "replicasets",
        "StatefulSet": "statefulsets",
    },
    "batch": {"CronJob": "cronjobs", "Job": "jobs"},
    "autoscaling": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "policy": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "rbac.authorization.k8s.io": {
        "ClusterRole": "clusterroles",
        "ClusterRoleBinding": "clusterrolebindings",
        "Role": "roles",
        "RoleBinding": "rolebindings",
    },
    "networking.k8s.io": {
        "Ingress": "ingresses",
        "IngressClass": "ingressclasses",
        "NetworkPolicy": "networkpolicies",
    },
    "gateway.networking.k8s.io": {"Gateway": "gateways", "HTTPRoute": "httproutes"},
    "storage.k8s.io": {"CSIDriver": "csidrivers", "StorageClass": "storageclasses"},
    "certificates.k8s.io": {"CertificateSigningRequest": "certificatesigningrequests"},
    "admissionregistration.k8s.io": {
        "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
        "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
    },
    "apiextensions.k8s.io": {"CustomResourceDefinition": "customresourcedefinitions"},
    "apiregistration.k8s.io": {"APIService": "apiservices"},
}

_CUSTOM: Mapping[str, Mapping[str, str]] = {
    ESO: {
        "ClusterExternalSecret": "clusterexternalsecrets",
        "ClusterPushSecret": "clusterpushsecrets",
        "ClusterSecretStore": "clustersecretstores",
        "ExternalSecret": "externalsecrets",
        "PushSecret": "pushsecrets",
        "SecretStore": "secretstores",
    },
    VSO: {
        "HCPVaultSecretsApp": "hcpvaultsecretsapps",
        "VaultAuth": "vaultauths",
        "VaultAuthGlobal": "vaultauthglobals",
        "VaultConnection": "vaultconnections",
        "VaultDynamicSecret": "vaultdynamicsecrets",
        "VaultPKISecret": "vaultpkisecrets",
        "VaultStaticSecret": "vaultstaticsecrets",
    },
    "secrets-store.csi.x-k8s.io": {"SecretProviderClass": "secretproviderclasses"},
    "apps.openshift.io": {"DeploymentConfig": "deploymentconfigs"},
    "argoproj.io": {"Rollout": "rollouts"},
    "keda.sh": {"ScaledJob": "scaledjobs"},
    "serving.knative.dev": {"Configuration": "configurations", "Revision": "revisions", "Service": "services"},
    "kyverno.io": {"ClusterPolicy": "clusterpolicies", "Policy": "policies"},
    "policies.kyverno.io": {"ValidatingPolicy": "validatingpolicies"},
    "iam.services.k8s.aws": {"Role": "roles"},
    "iam.aws.upbound.io": {"Role": "roles"},
    "iam.aws.m.upbound.io": {"Role": "roles"},
    "iam.aws.crossplane.io": {"Role": "roles"},
    "eks.services.k8s.aws": {"PodIdentityAssociation": "podidentityassociations"},
    "eks.aws.upbound.io": {"PodIdentityAssociation": "podidentityassociations"},
    "karpenter.k8s.aws": {"EC2NodeClass": "ec2nodeclasses"},
    "managedidentity.azure.com": {"FederatedIdentityCredential": "federatedidentitycredentials"},
    "managedidentity.azure.upbound.io": {"FederatedIdentityCredential": "federatedidentitycredentials"},
}

_GATEKEEPER = "constraints.gatekeeper.sh"

_KNOWN: Mapping[str, Admitted] = {
    f"{_PREFIX}{name}{suffix}": Admitted(type=f"{_PREFIX}{name}{suffix}", group=group, resource=plural)
    for table, custom in ((_BUILT_IN, False), (_CUSTOM, True))
    for group, kinds in table.items()
    for suffix in (f".{group}" if custom else "",)
    for name, plural in kinds.items()
}


def admitted(type_: str) -> Admitted | None:
    """Return how an API server knows objects of that type; `None` for a built-in kind that the table lacks."""
    if type_ in _KNOWN:
        return _KNOWN[type_]
    name, _, group = type_.removeprefix(_PREFIX).partition(".")
    if group == _GATEKEEPER:
        # Gatekeeper makes the definition of a constraint itself, and names it so.
        return Admitted(type=type_, group=group, resource=name.lower())
    return Admitted(type=type_, group=group, resource="*") if group else None


def of_group(group: str) -> str:
    """Return CEL that tells whether the object is of an API group that is not the core one."""
    return f"object.apiVersion.startsWith({constant(group + '/')})"


def kind(type_: str) -> str:
    """Return the kind of a type: `ExternalSecret` of `kubernetes/ExternalSecret.external-secrets.io`."""
    return type_.partition("/")[2].partition(".")[0]
