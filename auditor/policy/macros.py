"""`grants(rule, verb, group, resource)` written out in CEL.

A function in Python costs a call out of the runtime, and the runtime (cel-expr-python 0.1.3) never gives back what it
handed over: 1.5 kB for each rule that was asked about, a gigabyte on a large cluster. Written out, the same question
costs less time, and nothing stays. The decision is that of `auditor.access.kubernetes.rbac.rule_allows`; a test holds
the two together.
"""

import re

from auditor.policy.admission.rewriting import closing, following, parted, preceding, words

NAME = "grants"

_PLAIN = re.compile(r"[A-Za-z_][\w.]*(?:\[\w+\])*")
"""What may stand in a text several times at no cost: a name, a field of it, an element."""
_LITERAL = re.compile(r'"[^"\\]*"|\'[^\'\\]*\'')
_BOUND = ("grants_rule", "grants_verb", "grants_group", "grants_resource")


def expanded(text: str) -> str:
    """Return `text` with each call written out. What is no call of four arguments stays as it is."""
    return _expanded(words(text)) if f"{NAME}(" in text.replace(" ", "") else text


def _expanded(words_: list[str]) -> str:
    out: list[str] = []
    index = 0
    while index < len(words_):
        word = words_[index]
        if word == NAME and following(words_, index) == "(" and preceding(words_, index) not in {".", "?"}:
            opened = words_.index("(", index)
            end = closing(words_, opened)
            arguments = [_expanded(list(part)).strip() for part in parted(words_[opened + 1 : end], ",")]
            if len(arguments) == len(_BOUND):
                out.append(_written_out(arguments))
                index = end + 1
                continue
        out.append(word)
        index += 1
    return "".join(out)


def _written_out(arguments: list[str]) -> str:
    names = [
        argument if _PLAIN.fullmatch(argument) or _LITERAL.fullmatch(argument) else bound
        for argument, bound in zip(arguments, _BOUND, strict=True)
    ]
    rule, verb, group, resource = names
    question = " && ".join(
        (
            # What is asked most often in vain comes first.
            f'({resource} in {rule}.resources || "*" in {rule}.resources{_subresource(rule, resource)})',
            f'({verb} in {rule}.verbs || "*" in {rule}.verbs)',
            f'({group} in {rule}.apiGroups || "*" in {rule}.apiGroups)',
        )
    )
    for argument, bound in reversed(list(zip(arguments, names, strict=True))):
        if argument != bound:
            question = f"cel.bind({bound}, {argument}, {question})"
    return f"({question})"


def _subresource(rule: str, resource: str) -> str:
    """Return the rest of the question: `*/exec` is that subresource of any resource."""
    if _LITERAL.fullmatch(resource):
        _, slash, name = resource[1:-1].partition("/")
        return f' || "*/{name}" in {rule}.resources' if slash else ""
    return f' || ({resource}.contains("/") && "*" + {resource}.substring({resource}.indexOf("/")) in {rule}.resources)'
