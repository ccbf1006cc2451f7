"""What can be read from a Jenkinsfile without running it."""

from hypothesis import given
from hypothesis import strategies as st

from auditor.collectors import jenkinsfile, positions
from auditor.collectors.sources import SourceKind
from auditor.model.resource import Origin

PIPELINE = """\
#!/usr/bin/env groovy
@Library('acme@main') _
/* sh 'gitleaks detect' */
pipeline {
  agent { docker { image 'node:22' } }
  triggers { cron('H 2 * * *') }
  environment {
    AWS_SECRET_ACCESS_KEY = credentials('aws-key')
    REGION = 'eu-central-1' // sh 'no'
  }
  stages {
    stage('Scan') {
      steps {
        catchError(buildResult: 'SUCCESS') {
          sh 'gitleaks detect --source . || true'
        }
        sh label: 'x', script: \"\"\"
          curl "${env.X ?: "a"}"
          gitleaks git .
        \"\"\"
        script { def rc = sh(script: 'trufflehog git file://. --fail', returnStatus: true) }
      }
    }
    stage("Deploy") {
      when { branch 'main' }
      steps { withAWS(role: 'deploy') { sh "kubectl apply -f ." } }
    }
  }
  post { always { sh 'rm -rf out' } }
}
"""


def commands(text: str) -> list[tuple[str, str, int]]:
    found = jenkinsfile.parse(text)["commands"]
    return [(entry["text"].strip(), entry["stage"], entry["line"]) for entry in found]


def test_commands_have_their_stage_line_and_what_stands_around_them() -> None:
    found = jenkinsfile.parse(PIPELINE)
    assert commands(PIPELINE) == [
        ("gitleaks detect --source . || true", "Scan", 15),
        ('curl "${env.X ?: "a"}"\n          gitleaks git .', "Scan", 17),
        ("trufflehog git file://. --fail", "Scan", 21),
        ("kubectl apply -f .", "Deploy", 26),
        ("rm -rf out", "", 29),
    ]
    assert [entry["inside"][-1] for entry in found["commands"]] == [
        "catchError",
        "steps",
        "script",
        "withAWS",
        "always",
    ]
    assert found["commands"][2]["options"] == "script returnStatus true"
    assert found["stages"] == [
        {"name": "Scan", "line": 12, "when": ""},
        {"name": "Deploy", "line": 24, "when": "branch main"},
    ]
    assert (found["builds"], found["libraries"], found["starts"]) == (True, ["acme@main"], ["cron"])
    assert found["settings"] == [
        {"name": "AWS_SECRET_ACCESS_KEY", "value": "", "credential": "aws-key", "line": 8},
        {"name": "REGION", "value": "eu-central-1", "credential": "", "line": 9},
    ]
    assert [(entry["name"], entry["line"]) for entry in found["logins"]] == [("withAWS", 26)]


def test_a_file_that_only_calls_a_library_says_so() -> None:
    found = jenkinsfile.parse("buildPlugin(useContainerAgent: true)\n")
    assert (found["builds"], found["calls"], found["commands"]) == (False, ["buildPlugin"], [])


def test_closures_inside_of_parentheses_are_read() -> None:
    text = "node {\n parallel(\n  'a': { sh 'one' },\n  'b': { stage('Two') { sh 'two' } }\n )\n sh 'three'\n}\n"
    assert commands(text) == [("one", "", 3), ("two", "Two", 4), ("three", "", 6)]


def test_strings_comments_and_slashes_are_told_apart() -> None:
    text = (
        "node {\n def half = a / 2 / b // sh 'no'\n if (x ==~ /sh 'no' \"/) { sh 'yes' }\n"
        " sh 'it''s'\n sh 'a \\'quoted\\' word'\n echo \"sh 'no'\"\n sh '''two\nlines'''\n sh $/dollar 'slashy'/$\n}\n"
    )
    assert [text for text, _, _ in commands(text)] == [
        "yes", "it", "a 'quoted' word", "two\nlines", "dollar 'slashy'",
    ]  # fmt: skip


def test_a_string_that_never_ends_does_not_swallow_the_file() -> None:
    assert commands("node {\n echo 'open\n sh 'x'\n}\n") == [("x", "", 3)]


def test_a_command_that_groovy_computes_is_there_without_text() -> None:
    assert commands("node { sh command }") == [("", "", 1)]


def test_windows_line_ends_count_as_one() -> None:
    assert commands("node {\r\n  sh 'x'\r\n}\r\n") == [("x", "", 2)]


def test_items_are_found_at_their_lines() -> None:
    paths = [("commands", 0), ("settings", 1, "value"), ("stages", 1), ("libraries", 0), ("commands", 99), ()]
    found = positions.locate(PIPELINE.encode(), Origin(file="f"), paths, kind=SourceKind.JENKINSFILE)
    assert found == [(15, 1), (9, 1), (24, 1), (1, 1), (1, 1), (1, 1)]


@given(st.text(alphabet="sh '\"\\{}()[]$/*=\n;.ab", max_size=60))
def test_no_text_makes_it_fail_and_lines_are_those_of_the_text(text: str) -> None:
    found = jenkinsfile.parse(text)
    for part in ("commands", "settings", "stages"):
        assert all(1 <= entry["line"] <= text.count("\n") + 1 for entry in found[part] if part != "stages")


def test_deep_nesting_is_no_recursion() -> None:
    assert commands("x {" * 5000 + "sh 'deep'" + "}" * 5000) == [("deep", "", 1)]
