"""Programs of the Kubernetes control plane, and what starts them: names that facts and exported policies share."""

from collections.abc import Mapping

PROGRAMS = frozenset({"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kubelet"})

HYPERKUBE: Mapping[str, str] = {
    "apiserver": "kube-apiserver",
    "controller-manager": "kube-controller-manager",
    "scheduler": "kube-scheduler",
    "kubelet": "kubelet",
}
"""What `hyperkube` is told, and the program that it then is."""

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
"""Programs whose argument is a script that may start another one."""

STARTERS = frozenset({"exec", "&&", ";"})
"""Words of a script after which a program's name starts it."""
