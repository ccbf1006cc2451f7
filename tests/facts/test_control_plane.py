"""Programs of the control plane and their flags."""

import pytest

from tests.facts.builders import pod


@pytest.mark.parametrize(
    ("container", "program", "flags"),
    [
        (
            "{command: [kube-apiserver, --anonymous-auth=false, '--authorization-mode=Node,RBAC']}",
            "kube-apiserver",
            {"anonymous-auth": ["false"], "authorization-mode": ["Node,RBAC"]},
        ),
        (
            "{command: [/usr/local/bin/kube-apiserver], args: [--audit-log-path, /var/log/audit.log, --profiling]}",
            "kube-apiserver",
            {"audit-log-path": ["/var/log/audit.log"], "profiling": ["true"]},
        ),
        (
            "{command: [etcd, --client-cert-auth, --cert-file=/a, --listen-client-urls=https://a, -data-dir=/d]}",
            "etcd",
            {
                "client-cert-auth": ["true"],
                "cert-file": ["/a"],
                "listen-client-urls": ["https://a"],
                "data-dir": ["/d"],
            },
        ),
        (
            "{command: [kube-controller-manager, --service_account_private_key_file=/k]}",
            "kube-controller-manager",
            {"service-account-private-key-file": ["/k"]},
        ),
        ("{command: [kube-scheduler, --v=2, --v=4]}", "kube-scheduler", {"v": ["2", "4"]}),
        (
            "{image: 'registry.k8s.io/kube-apiserver:v1.36.3', args: [--anonymous-auth=true]}",
            "kube-apiserver",
            {"anonymous-auth": ["true"]},
        ),
        (
            "{command: [/bin/sh, -c, 'exec /usr/local/bin/kube-apiserver --anonymous-auth=false --v=2 1>>/log']}",
            "kube-apiserver",
            {"anonymous-auth": ["false"], "v": ["2"]},
        ),
        ("{command: [/hyperkube, apiserver, --profiling=false]}", "kube-apiserver", {"profiling": ["false"]}),
        ("{image: 'registry.k8s.io/kube-proxy:v1', command: [kube-proxy, --config=/c]}", "", {}),
        ("{image: 'quay.io/app:1', command: [/app], args: [--anonymous-auth=true]}", "", {}),
        ("{image: 'quay.io/kube-apiserver:1', command: [sleep, infinity]}", "", {}),
        ("{command: [sh, -c, 'echo kube-apiserver --anonymous-auth=true']}", "", {}),
        ("{image: 'quay.io/prometheus-etcd-exporter:1', args: [--etcd.url=a]}", "", {}),
        ("{command: {a: b}, args: kube-apiserver, image: 3}", "", {}),
    ],
)
def test_program_and_flags(container: str, program: str, flags: dict[str, list[str]]) -> None:
    seen = pod(f"{{containers: [{{name: sidecar, image: a}}, {container}]}}")
    assert (seen["component"], seen["flags"]) == (program, flags)
