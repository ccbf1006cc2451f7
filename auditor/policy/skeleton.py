"""A new policy that works as it is: it lints, its examples hold, and each line says what to change."""

_TEXT = """\
id: {id}                      # never reused; also the name of the file and of the SARIF rule
name: {name}                  # the fault in a few words, reads well after "allow"
title: Container runs an image without a tag
severity: medium              # info, low, medium, high, critical
applies_to: [pod_spec]        # views (docs/views.md) or types such as kubernetes/ConfigMap
tags: [workload]
supports:                     # `auditor frameworks show` lists the requirements
  - {{requirement: soc2/CC8.1, strength: supporting}}
each:                         # optional: judge items inside the object, each with its own line
  - container: variables.containers
expression: container.?image.orValue("").contains(":")   # CEL; true passes
message_expression: '"container " + container.?name.orValue("?") + " runs an image without a tag"'
rationale: Without a tag nobody can say which image ran on a given day.
remediation: Name a tag, better a digest.
snippet: |
  containers:
    - name: web
      image: registry.example/web:1.4.2
examples:                     # at least one that fails and one that passes; `auditor policy test` runs them
  - name: no-tag
    outcome: fail
    items: ["spec.containers[web]"]
    object: {{apiVersion: v1, kind: Pod, metadata: {{name: web}}, spec: {{containers: [{{name: web, image: web}}]}}}}
  - name: with-tag
    outcome: pass
    object: {{apiVersion: v1, kind: Pod, metadata: {{name: web}}, spec: {{containers: [{{name: a, image: "a:1"}}]}}}}
"""


def skeleton(policy_id: str, name: str) -> str:
    """Return the text of a policy file."""
    return _TEXT.format(id=policy_id, name=name)
