"""GitLab pipelines, as https://docs.gitlab.com/ci/yaml/ has them: one definition for `.gitlab-ci.yml` and its includes.

Files of the same repository are merged as GitLab does, later ones over earlier ones and `.gitlab-ci.yml` over all;
`extends` and `default` are applied. What is included from elsewhere is listed as unread, but for GitLab's own
templates, whose content is known by their names.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.facts.ci import conditions
from auditor.facts.ci.shape import Definition, Job, Start, Starts, Step, Trigger, closures, command_lines, plain, words
from auditor.facts.shapes import elements, mapping, text
from auditor.model.resource import Path

_RESERVED = frozenset(
    {
        "default", "include", "stages", "variables", "workflow", "image", "services", "cache", "before_script",
        "after_script", "spec", "types",
    }
)  # fmt: skip
_STAGES = ("build", "test", "deploy")
_DEEPEST = 11
"""`extends` of `extends`: GitLab's own limit."""
_DEFAULTS = ("before_script", "after_script", "id_tokens", "image")
_MANUAL = frozenset({"manual", "delayed"})


def definition(main: str, files: Mapping[str, Mapping[str, Any]]) -> Definition:
    """Return the pipeline of the file `main`, whose includes are among `files` (path to body)."""
    order = [*sorted(file for file in files if file != main), main]
    merged: dict[str, Any] = {}
    for file in order:
        merged = _over(merged, files[file])
    homes = {name: file for file in order for name in files[file]}
    names = [str(name) for name, job in merged.items() if _is_job(name, job)]
    resolver = _Resolver(merged)
    resolved = {name: resolver.job(name) for name in names}
    after = closures(_needs(merged, resolved))
    limit = _workflow(mapping(merged.get("workflow")))
    jobs = tuple(
        _job(name, job, merged, files[homes[name]], file=homes[name], after=after[name], limit=limit)
        for name, job in resolved.items()
    )
    starts = tuple(dict.fromkeys(start for job in jobs for start in job.starts))
    return Definition(
        system="gitlab",
        file=main,
        triggers=tuple(Trigger(event=event, start=start) for event, start in starts),
        jobs=jobs,
        unread=tuple(dict.fromkeys(what for file in order for what in _elsewhere(files[file], files))),
        starts=starts,
    )


def templates(body: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield GitLab's own templates and components that a file includes, with where it says so."""
    for entry, path in _includes(body):
        for key in ("template", "component"):
            if text(mapping(entry).get(key)):
                yield text(mapping(entry).get(key)), path


def _includes(body: Mapping[str, Any]) -> Iterator[tuple[Any, Path]]:
    entries = body.get("include")
    if isinstance(entries, list):
        yield from ((entry, ("include", index)) for index, entry in enumerate(entries))
    elif entries is not None:
        yield entries, ("include",)


def _elsewhere(body: Mapping[str, Any], files: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a file includes that is not in the input."""
    for entry, _ in _includes(body):
        local = text(entry) or text(mapping(entry).get("local"))
        if text(mapping(entry).get("template")):
            continue
        if local and "://" not in local:
            known = any(file.endswith(local.lstrip("/")) for file in files)
            if not known and "*" not in local:
                yield f"the included file {local}"
        else:
            details = mapping(entry)
            named = next((text(details.get(key)) for key in ("project", "component", "remote") if details.get(key)), "")
            yield f"the include of {named or local or 'something that is not named'}"


def _is_job(name: Any, job: Any) -> bool:
    return isinstance(job, dict) and str(name) not in _RESERVED and not str(name).startswith(".")


def _over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Return `lower` with `upper` over it: maps are merged, all else is replaced."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


class _Resolver:
    """Jobs with everything that they extend, and the defaults under them; each made once."""

    def __init__(self, merged: Mapping[str, Any]) -> None:
        self._merged = merged
        self._known: dict[str, dict[str, Any]] = {}
        defaults = {**{key: merged[key] for key in _DEFAULTS if key in merged}, **mapping(merged.get("default"))}
        self._defaults = {key: value for key, value in defaults.items() if key in _DEFAULTS}

    def job(self, name: str) -> Mapping[str, Any]:
        """Return one job."""
        return _over(self._defaults, self._extended(name, depth=0))

    def _extended(self, name: str, *, depth: int) -> dict[str, Any]:
        if name in self._known:
            return self._known[name]
        # A loop ends where it meets itself.
        self._known[name] = {}
        job = mapping(self._merged.get(name))
        bases = job.get("extends")
        found: dict[str, Any] = {}
        for base in elements(bases) or [bases]:
            if isinstance(base, str) and depth < _DEEPEST:
                found = _over(found, self._extended(base, depth=depth + 1))
        self._known[name] = _over(found, job)
        return self._known[name]


def _needs(merged: Mapping[str, Any], resolved: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what each job waits for: what it says, or every job of an earlier stage."""
    stages = [".pre", *(elements(merged.get("stages")) or _STAGES), ".post"]
    stage_of = {name: text(job.get("stage")) or "test" for name, job in resolved.items()}
    rank = {name: stages.index(stage) if stage in stages else len(stages) for name, stage in stage_of.items()}
    found: dict[str, list[str]] = {}
    for name, job in resolved.items():
        if isinstance(job.get("needs"), list):
            found[name] = [text(mapping(need).get("job")) or text(need) for need in job["needs"]]
        else:
            found[name] = [other for other in resolved if rank[other] < rank[name]]
    return found


def _job(
    name: str,
    job: Mapping[str, Any],
    merged: Mapping[str, Any],
    body: Mapping[str, Any],
    *,
    file: str,
    after: frozenset[str],
    limit: frozenset[Start] | None,
) -> Job:
    starts, unsure, manual = _starts(job, limit)
    environment = job.get("environment")
    stops = text(mapping(environment).get("action")) in {"stop", "prepare", "verify", "access"}
    path: Path = (name,)
    allowed = job.get("allow_failure")
    child = mapping(job.get("trigger")) or ({"project": job["trigger"]} if text(job.get("trigger")) else {})
    return Job(
        name=name,
        path=path,
        file=file,
        steps=tuple(_steps(job, path, file, merged)),
        after=after,
        environment="" if stops else text(mapping(environment).get("name")) or text(environment),
        token=bool(mapping(job.get("id_tokens"))),
        audiences=tuple(_audiences(job.get("id_tokens"), path, body)),
        condition="; ".join(words(mapping(rule).get("if")) for rule in elements(job.get("rules"))),
        ignored=allowed is True or isinstance(allowed, dict) or (manual and allowed is not False),
        starts=starts,
        unsure=unsure,
        unread=(f"the pipeline that its job {name} starts",) if child and "include" not in child else (),
    )


def _audiences(tokens: Any, path: Path, body: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield for whom the job's tokens are, each where the job itself says so, or where the job stands."""
    for name, token in mapping(tokens).items():
        audience = mapping(token).get("aud")
        own = name in mapping(mapping(body.get(str(path[0]))).get("id_tokens"))
        yield " ".join(map(words, elements(audience) or [audience])), (*path, "id_tokens", str(name)) if own else path


def _steps(job: Mapping[str, Any], path: Path, file: str, merged: Mapping[str, Any]) -> Iterator[Step]:
    env = {**_variables(merged.get("variables")), **_variables(job.get("variables"))}
    for key in ("before_script", "script", "after_script"):
        lines = tuple(line for entry in _flat(job.get(key), merged) for line in command_lines(entry))
        if lines:
            yield Step(
                path=path,
                file=file,
                name=path[0] if isinstance(path[0], str) else "",
                commands=lines,
                env=env,
                # What follows the script cannot fail the job.
                ignored=key == "after_script",
            )


def _variables(value: Any) -> dict[str, str]:
    described = {key: mapping(item).get("value", item) for key, item in mapping(value).items()}
    return plain(described)


def _flat(script: Any, merged: Mapping[str, Any], *, depth: int = 0) -> Iterator[str]:
    """Yield the entries of a script; `!reference [job, script]` was read as a list of two names."""
    if isinstance(script, str):
        yield script
    elif isinstance(script, list) and depth < _DEEPEST:
        names = [text(entry) for entry in script]
        target = mapping(merged.get(names[0])) if len(names) == 2 and names[0] in merged else None
        if depth and target is not None and names[1] in target:
            yield from _flat(target[names[1]], merged, depth=depth + 1)
        else:
            for entry in script:
                yield from _flat(entry, merged, depth=depth + 1)


def _starts(job: Mapping[str, Any], limit: frozenset[Start] | None) -> tuple[Starts, str, bool]:
    """Return for what a job runs, why nobody can say, and whether it waits for a person.

    `limit` is for what pipelines are made at all. A job without conditions runs in each of them.
    """
    manual = text(job.get("when")) in _MANUAL
    if job.get("when") == "never":
        return (), "", manual
    if isinstance(job.get("rules"), list):
        starts, unsure = _of_rules(job["rules"])
    elif "only" in job or "except" in job:
        starts, unsure = _of_only(job)
    else:
        kinds = sorted(limit, key=list(Start).index) if limit is not None else [Start.BRANCH]
        return tuple((kind.name.lower(), kind) for kind in kinds), "", manual
    if limit is not None:
        named = Start.BRANCH not in limit and Start.MAIN in limit
        starts = tuple((event, Start.MAIN if named and start is Start.BRANCH else start) for event, start in starts)
        starts = tuple((event, start) for event, start in starts if start in limit or start is Start.MANUAL)
    return starts, unsure, manual


def _of_rules(rules: Sequence[Any]) -> tuple[Starts, str]:
    starts: list[tuple[str, Start]] = []
    unsure = ""
    for raw in rules:
        rule = mapping(raw)
        condition = words(rule.get("if"))
        if rule.get("when") == "never":
            # What comes before it has run already; it takes away from what follows, which only a plain rule may claim.
            if not condition and not rule.keys() & {"changes", "exists"}:
                break
            continue
        start = conditions.gitlab_start(condition)
        if start is None or rule.keys() & {"changes", "exists"}:
            unsure = conditions.UNCLEAR
        elif text(rule.get("when")) in _MANUAL and rule.get("allow_failure") is not False:
            starts.append(("a person", Start.MANUAL))
        else:
            starts.append((start.name.lower(), start))
    firm = any(start in {Start.MERGE, Start.BRANCH} for _, start in starts)
    return tuple(dict.fromkeys(starts)), "" if firm else unsure


_ONLY = {
    "merge_requests": Start.MERGE,
    "external_pull_requests": Start.MERGE,
    "branches": Start.BRANCH,
    "pushes": Start.BRANCH,
    "tags": Start.RELEASE,
    "schedules": Start.SCHEDULE,
    "web": Start.MANUAL,
    "api": Start.MANUAL,
    "triggers": Start.CALLED,
    "pipelines": Start.CALLED,
}


def _of_only(job: Mapping[str, Any]) -> tuple[Starts, str]:
    only, unless = job.get("only"), job.get("except")
    refs = _refs(only) if only is not None else ["branches", "tags"]
    left_out = set(_refs(unless))
    limits = {*mapping(only), *mapping(unless)} - {"refs"}
    starts = []
    for ref in refs:
        if ref not in left_out:
            start = _ONLY.get(ref, Start.BRANCH if ref.startswith("/") else Start.MAIN)
            starts.append((ref, start))
    return tuple(starts), conditions.UNCLEAR if limits else ""


def _refs(value: Any) -> list[str]:
    found = mapping(value).get("refs", None if isinstance(value, dict) else value)
    if found is None and isinstance(value, dict):
        return ["branches", "tags"]
    return [ref for ref in elements(found) or [found] if isinstance(ref, str)]


def _workflow(workflow: Mapping[str, Any]) -> frozenset[Start] | None:
    """Return for what a pipeline is made at all, `None` where that is not limited or not plain."""
    rules = workflow.get("rules")
    if not isinstance(rules, list):
        return None
    found: set[Start] = set()
    for raw in rules:
        rule = mapping(raw)
        if rule.get("when") == "never":
            continue
        start = conditions.gitlab_start(words(rule.get("if")))
        if start is None or not rule.get("if"):
            return None
        found.add(start)
    return frozenset(found)
