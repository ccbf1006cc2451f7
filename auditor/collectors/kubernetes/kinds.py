"""Every kind that is asked of a cluster, how, and what of it is kept: the one table that lists, grants and docs follow.

A kind that no policy, view or evaluator reads is not in the table, so it is never asked for. Versions are not in it
either: the server's discovery says which it serves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SECRET = "kubernetes/Secret"  # noqa: S105 - a type
NAMESPACE = "kubernetes/Namespace"
POD = "kubernetes/Pod"


class How(StrEnum):
    """In which form a list is asked for."""

    FULL = "full"
    """Whole objects."""
    METADATA = "metadata"
    """As a table whose rows carry the object's metadata: never its content."""
    NAMES = "names"
    """As a table without objects: names alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the table."""

    type: str
    """Resource type, as in `Resource.type`."""
    group: str
    """API group; empty for the core one."""
    plural: str
    """As in the API's paths; `*`: every resource that the group serves."""
    namespaced: bool = True
    how: How = How.FULL
    page: int = 500
    """Objects asked for at a time. Kinds whose objects can be large are asked for in smaller parts."""
    status: tuple[str, ...] = ()
    """Fields of `status` that are kept; of conditions never the message, which may quote anything."""
    spec: tuple[str, ...] | None = None
    """Fields of `spec` that are kept; `None`: all."""
    round: int | None = None
    """For kinds that carry a pod spec: in which round they are read. What owns comes before what it owns."""
    why: str
    """What it is read for, for the documentation and `auditor doctor`."""

    @property
    def resource(self) -> str:
        """Name as `kubectl` takes it: `deployments.apps`, `secrets`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _kinds(group: str, names: Iterable[tuple[str, str]], *, why: str, **more: object) -> tuple[Kind, ...]:
    suffix = "" if _built_in(group) else f".{group}"
    return tuple(
        Kind(type=f"kubernetes/{kind}{suffix}", group=group, plural=plural, why=why, **more)  # type: ignore[arg-type]  # keywords of Kind
        for kind, plural in names
    )


def _built_in(group: str) -> bool:
    """As `manifests.resource_type` tells built-in groups: a test holds the two together."""
    return group in {"", "apps", "batch"} or (group.endswith(".k8s.io") and not group.endswith("x-k8s.io"))


_RBAC = "rbac.authorization.k8s.io"
_ACCESS = "who may do what"
_RUNS = "what runs, with which secrets, as which account"
_SYNC = "which Secret is made from which store, and how often it is fetched anew"
_DELIVERY = "what a delivery controller installs, and values written into it"
_ADMISSION = "what guards the door of the cluster, and what sees objects on their way in"
_CLOUD = "who may take a cloud's identity, and from where the API servers of clusters made here are reached"

KINDS: tuple[Kind, ...] = (
    # Access.
    *_kinds(_RBAC, (("Role", "roles"), ("RoleBinding", "rolebindings")), why=_ACCESS),
    *_kinds(
        _RBAC,
        (("ClusterRole", "clusterroles"), ("ClusterRoleBinding", "clusterrolebindings")),
        why=_ACCESS,
        namespaced=False,
    ),
    Kind(type="kubernetes/ServiceAccount", group="", plural="serviceaccounts", why="identities of workloads"),
    Kind(
        type=NAMESPACE,
        group="",
        plural="namespaces",
        namespaced=False,
        status=("phase",),
        why="labels that decide trust and admission; the cluster's identity (kube-system)",
    ),
    Kind(
        type="kubernetes/Node",
        group="",
        plural="nodes",
        namespaced=False,
        page=100,
        spec=("providerID", "taints", "unschedulable"),
        status=("nodeInfo",),
        why="kubelet versions, and who runs the machines",
    ),
    Kind(
        type="kubernetes/CertificateSigningRequest",
        group="certificates.k8s.io",
        plural="certificatesigningrequests",
        namespaced=False,
        status=("conditions", "certificate"),
        why="client certificates that were issued: identities that no binding shows",
    ),
    # Values and where they lie.
    Kind(
        type=SECRET,
        group="",
        plural="secrets",
        how=How.METADATA,
        why="names, types, key names and ages; never a value",
    ),
    Kind(
        type="kubernetes/ConfigMap",
        group="",
        plural="configmaps",
        page=50,
        why="credentials where they do not belong; who is mapped to which group (aws-auth)",
    ),
    # Workloads. In a round, what owns comes before what it owns.
    *_kinds("", (("PodTemplate", "podtemplates"),), why=_RUNS, round=0),
    *_kinds("apps", (("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")), why=_RUNS, round=0),
    *_kinds("batch", (("CronJob", "cronjobs"),), why=_RUNS, round=0),
    *_kinds("apps.openshift.io", (("DeploymentConfig", "deploymentconfigs"),), why=_RUNS, round=0),
    *_kinds(
        "argoproj.io",
        (
            ("Rollout", "rollouts"),
            ("CronWorkflow", "cronworkflows"),
            ("WorkflowTemplate", "workflowtemplates"),
        ),
        why=_RUNS,
        round=0,
        page=100,
    ),
    *_kinds(
        "argoproj.io",
        (("ClusterWorkflowTemplate", "clusterworkflowtemplates"),),
        why=_RUNS,
        round=0,
        page=100,
        namespaced=False,
    ),
    *_kinds("keda.sh", (("ScaledJob", "scaledjobs"),), why=_RUNS, round=0),
    *_kinds("serving.knative.dev", (("Service", "services"),), why=_RUNS, round=0),
    *_kinds(
        "tekton.dev",
        (("Pipeline", "pipelines"), ("Task", "tasks"), ("PipelineRun", "pipelineruns")),
        why=_RUNS,
        round=0,
        page=100,
    ),
    *_kinds("tekton.dev", (("ClusterTask", "clustertasks"),), why=_RUNS, round=0, page=100, namespaced=False),
    *_kinds("", (("ReplicationController", "replicationcontrollers"),), why=_RUNS, round=1),
    *_kinds("argoproj.io", (("Workflow", "workflows"),), why=_RUNS, round=1, page=100),
    *_kinds("tekton.dev", (("TaskRun", "taskruns"),), why=_RUNS, round=1, page=100),
    *_kinds("serving.knative.dev", (("Configuration", "configurations"),), why=_RUNS, round=1),
    *_kinds("serving.knative.dev", (("Revision", "revisions"),), why=_RUNS, round=2),
    *_kinds("apps", (("Deployment", "deployments"),), why=_RUNS, round=3),
    *_kinds("batch", (("Job", "jobs"),), why=_RUNS, round=3),
    *_kinds("apps", (("ReplicaSet", "replicasets"),), why=_RUNS, round=4),
    Kind(type=POD, group="", plural="pods", round=5, page=250, status=("phase",), why=_RUNS),
    # Storage that logs in somewhere.
    *_kinds("", (("PersistentVolume", "persistentvolumes"),), why="Secrets that volumes log in with", namespaced=False),
    *_kinds(
        "storage.k8s.io",
        (("StorageClass", "storageclasses"),),
        why="Secrets that volumes log in with",
        namespaced=False,
    ),
    # Network: which host is served with which Secret, and what may be reached.
    *_kinds("networking.k8s.io", (("Ingress", "ingresses"),), why="which host is served with which TLS Secret"),
    *_kinds("networking.k8s.io", (("NetworkPolicy", "networkpolicies"),), why="what may reach metadata services"),
    *_kinds(
        "gateway.networking.k8s.io",
        (
            ("Gateway", "gateways"),
            ("HTTPRoute", "httproutes"),
            ("TLSRoute", "tlsroutes"),
            ("ListenerSet", "listenersets"),
            ("ReferenceGrant", "referencegrants"),
        ),
        why="which host is served with which TLS Secret, and who may refer to it from elsewhere",
    ),
    *_kinds("networking.istio.io", (("Gateway", "gateways"),), why="which host is served with which TLS Secret"),
    # Admission.
    *_kinds(
        "admissionregistration.k8s.io",
        (
            ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
            ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
            ("MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
            ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
            ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
            ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
        ),
        why=_ADMISSION,
        namespaced=False,
        page=100,
    ),
    *_kinds("kyverno.io", (("ClusterPolicy", "clusterpolicies"),), why=_ADMISSION, namespaced=False, page=100),
    *_kinds("kyverno.io", (("Policy", "policies"), ("PolicyException", "policyexceptions")), why=_ADMISSION, page=100),
    *_kinds(
        "policies.kyverno.io",
        (
            ("ValidatingPolicy", "validatingpolicies"),
            ("MutatingPolicy", "mutatingpolicies"),
            ("GeneratingPolicy", "generatingpolicies"),
            ("ImageValidatingPolicy", "imagevalidatingpolicies"),
        ),
        why=_ADMISSION,
        namespaced=False,
        page=100,
    ),
    *_kinds("policies.kyverno.io", (("PolicyException", "policyexceptions"),), why=_ADMISSION, page=100),
    *_kinds(
        "templates.gatekeeper.sh",
        (("ConstraintTemplate", "constrainttemplates"),),
        why=_ADMISSION,
        namespaced=False,
        page=100,
    ),
    *_kinds("constraints.gatekeeper.sh", (("*", "*"),), why=_ADMISSION, namespaced=False, page=100),
    *_kinds("config.gatekeeper.sh", (("Config", "configs"),), why=_ADMISSION, page=100),
    Kind(
        type="kubernetes/CustomResourceDefinition",
        group="apiextensions.k8s.io",
        plural="customresourcedefinitions",
        namespaced=False,
        how=How.NAMES,
        why="names only: which operators there are",
    ),
    # Where Secrets come from.
    *_kinds(
        "external-secrets.io",
        (("ExternalSecret", "externalsecrets"), ("SecretStore", "secretstores"), ("PushSecret", "pushsecrets")),
        why=_SYNC,
        status=("conditions", "refreshTime"),
    ),
    *_kinds(
        "external-secrets.io",
        (
            ("ClusterExternalSecret", "clusterexternalsecrets"),
            ("ClusterSecretStore", "clustersecretstores"),
            ("ClusterPushSecret", "clusterpushsecrets"),
        ),
        why=_SYNC,
        status=("conditions",),
        namespaced=False,
    ),
    *_kinds("kubernetes-client.io", (("ExternalSecret", "externalsecrets"),), why=_SYNC),
    *_kinds("secrets-store.csi.x-k8s.io", (("SecretProviderClass", "secretproviderclasses"),), why=_SYNC),
    *_kinds(
        "secrets-store.csi.x-k8s.io",
        (("SecretProviderClassPodStatus", "secretproviderclasspodstatuses"),),
        why="which version of a secret a pod holds",
        status=("mounted", "objects", "podName", "secretProviderClassName"),
    ),
    *_kinds(
        "secrets.hashicorp.com",
        (
            ("VaultAuth", "vaultauths"),
            ("VaultAuthGlobal", "vaultauthglobals"),
            ("VaultConnection", "vaultconnections"),
            ("VaultStaticSecret", "vaultstaticsecrets"),
            ("VaultDynamicSecret", "vaultdynamicsecrets"),
            ("VaultPKISecret", "vaultpkisecrets"),
            ("HCPAuth", "hcpauths"),
            ("HCPVaultSecretsApp", "hcpvaultsecretsapps"),
            ("SecretTransformation", "secrettransformations"),
            ("CSISecrets", "csisecrets"),
        ),
        why=_SYNC,
    ),
    *_kinds(
        "cert-manager.io",
        (("Certificate", "certificates"),),
        why="who issues and renews the certificate in a Secret",
        status=("conditions", "notAfter", "notBefore", "renewalTime"),
    ),
    *_kinds(
        "cert-manager.io",
        (("CertificateRequest", "certificaterequests"),),
        why="the certificates that lie in Secrets, which are not read: here they are public",
        status=("conditions", "certificate"),
    ),
    *_kinds("cert-manager.io", (("Issuer", "issuers"),), why=_SYNC),
    *_kinds("cert-manager.io", (("ClusterIssuer", "clusterissuers"),), why=_SYNC, namespaced=False),
    *_kinds(
        "spire.spiffe.io",
        (
            ("ClusterSPIFFEID", "clusterspiffeids"),
            ("ClusterFederatedTrustDomain", "clusterfederatedtrustdomains"),
            ("ClusterStaticEntry", "clusterstaticentries"),
        ),
        why="which pods are given which identity",
        namespaced=False,
    ),
    *_kinds("bitnami.com", (("SealedSecret", "sealedsecrets"),), why=_SYNC, page=100),
    *_kinds("isindir.github.com", (("SopsSecret", "sopssecrets"),), why=_SYNC, page=100),
    *_kinds("onepassword.com", (("OnePasswordItem", "onepassworditems"),), why=_SYNC),
    *_kinds("secrets.infisical.com", (("InfisicalSecret", "infisicalsecrets"),), why=_SYNC),
    *_kinds("secrets.doppler.com", (("DopplerSecret", "dopplersecrets"),), why=_SYNC),
    *_kinds("k8s.bitwarden.com", (("BitwardenSecret", "bitwardensecrets"),), why=_SYNC),
    *_kinds("spv.no", (("AzureKeyVaultSecret", "azurekeyvaultsecrets"),), why=_SYNC),
    *_kinds("ricoberger.de", (("VaultSecret", "vaultsecrets"),), why=_SYNC),
    *_kinds("redhatcop.redhat.io", (("VaultSecret", "vaultsecrets"),), why=_SYNC),
    *_kinds("mumoshu.github.io", (("AWSSecret", "awssecrets"),), why=_SYNC),
    # Delivery: what acts with a controller's rights, and values written into it.
    *_kinds(
        "argoproj.io",
        (("Application", "applications"), ("ApplicationSet", "applicationsets"), ("AppProject", "appprojects")),
        why=_DELIVERY,
        page=100,
    ),
    *_kinds("helm.toolkit.fluxcd.io", (("HelmRelease", "helmreleases"),), why=_DELIVERY, page=100),
    *_kinds("kustomize.toolkit.fluxcd.io", (("Kustomization", "kustomizations"),), why=_DELIVERY, page=100),
    *_kinds("helm.fluxcd.io", (("HelmRelease", "helmreleases"),), why=_DELIVERY, page=100),
    *_kinds(
        "helm.cattle.io",
        (("HelmChart", "helmcharts"), ("HelmChartConfig", "helmchartconfigs")),
        why=_DELIVERY,
        page=100,
    ),
    *_kinds(
        "velero.io",
        (
            ("BackupStorageLocation", "backupstoragelocations"),
            ("VolumeSnapshotLocation", "volumesnapshotlocations"),
            ("Schedule", "schedules"),
            ("Backup", "backups"),
        ),
        why="copies of Secrets outside of the cluster",
        page=100,
    ),
    # What operators of the clouds keep in the cluster: identities, who may take them, and managed clusters.
    *_kinds("iam.services.k8s.aws", (("Role", "roles"),), why=_CLOUD, page=100),
    *_kinds("iam.aws.m.upbound.io", (("Role", "roles"),), why=_CLOUD, page=100),
    *_kinds("iam.aws.upbound.io", (("Role", "roles"),), why=_CLOUD, namespaced=False, page=100),
    *_kinds("iam.aws.crossplane.io", (("Role", "roles"),), why=_CLOUD, namespaced=False, page=100),
    *_kinds(
        "eks.services.k8s.aws",
        (("Cluster", "clusters"), ("PodIdentityAssociation", "podidentityassociations")),
        why=_CLOUD,
        page=100,
    ),
    *_kinds(
        "eks.aws.upbound.io",
        (("Cluster", "clusters"), ("PodIdentityAssociation", "podidentityassociations")),
        why=_CLOUD,
        namespaced=False,
        page=100,
    ),
    *_kinds("karpenter.k8s.aws", (("EC2NodeClass", "ec2nodeclasses"),), why=_CLOUD, namespaced=False, page=100),
    *_kinds(
        "managedidentity.azure.com",
        (("FederatedIdentityCredential", "federatedidentitycredentials"),),
        why=_CLOUD,
        page=100,
    ),
    *_kinds(
        "managedidentity.azure.m.upbound.io",
        (("FederatedIdentityCredential", "federatedidentitycredentials"),),
        why=_CLOUD,
        page=100,
    ),
    *_kinds(
        "managedidentity.azure.upbound.io",
        (("FederatedIdentityCredential", "federatedidentitycredentials"),),
        why=_CLOUD,
        namespaced=False,
        page=100,
    ),
    *_kinds("containerservice.azure.com", (("ManagedCluster", "managedclusters"),), why=_CLOUD, page=100),
    *_kinds("container.cnrm.cloud.google.com", (("ContainerCluster", "containerclusters"),), why=_CLOUD, page=100),
    *_kinds(
        "iam.cnrm.cloud.google.com",
        (("IAMWorkloadIdentityPoolProvider", "iamworkloadidentitypoolproviders"),),
        why=_CLOUD,
        page=100,
    ),
    *_kinds(
        "iam.gcp.m.upbound.io",
        (("WorkloadIdentityPoolProvider", "workloadidentitypoolproviders"),),
        why=_CLOUD,
        page=100,
    ),
    *_kinds(
        "iam.gcp.upbound.io",
        (("WorkloadIdentityPoolProvider", "workloadidentitypoolproviders"),),
        why=_CLOUD,
        namespaced=False,
        page=100,
    ),
    *_kinds(
        "controlplane.cluster.x-k8s.io", (("AWSManagedControlPlane", "awsmanagedcontrolplanes"),), why=_CLOUD, page=100
    ),
    *_kinds(
        "infrastructure.cluster.x-k8s.io",
        (("AzureManagedControlPlane", "azuremanagedcontrolplanes"),),
        why=_CLOUD,
        page=100,
    ),
    # Which tokens a Vault takes, where its roles are kept in the cluster.
    *_kinds("redhatcop.redhat.io", (("JWTOIDCAuthEngineRole", "jwtoidcauthengineroles"),), why=_CLOUD, page=100),
    *_kinds("jwt.vault.m.upbound.io", (("AuthBackendRole", "authbackendroles"),), why=_CLOUD, page=100),
    *_kinds("jwt.vault.upbound.io", (("AuthBackendRole", "authbackendroles"),), why=_CLOUD, namespaced=False, page=100),
    *_kinds(
        "config.openshift.io",
        (("APIServer", "apiservers"),),
        why="encryption at rest and the audit profile, where OpenShift runs the API server",
        namespaced=False,
    ),
)


def by_type(type_: str) -> Kind | None:
    """Return the row of a resource type; every type of a group with a `*` row has that one."""
    return _BY_TYPE.get(type_) or _WHOLE_GROUPS.get(type_.partition(".")[2])


def by_resource(name: str) -> Kind | None:
    """Return the row of what kubectl calls `name`: `deployments.apps`, or `deployments` where the group is built in."""
    return _BY_RESOURCE.get(name)


_BY_TYPE = {kind.type: kind for kind in KINDS}
_WHOLE_GROUPS = {kind.group: kind for kind in KINDS if kind.plural == "*"}
_BY_RESOURCE = {
    name: kind
    for kind in reversed(KINDS)
    if kind.plural != "*"
    for name in ((kind.plural, kind.resource) if _built_in(kind.group) else (kind.resource,))
}
