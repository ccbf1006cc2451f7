"""Jenkinsfiles in the shape that all systems share."""

from auditor.facts.ci.shape import Start
from tests.facts.ci.builders import definition, job


def test_commands_are_steps_in_order_and_what_catches_failures_is_known() -> None:
    text = """\
pipeline {
  stages {
    stage('Scan') { steps { catchError { sh 'gitleaks git .' } } }
    stage('Again') { when { branch 'main' } steps { sh 'gitleaks dir .' } }
    stage('Status') { steps { script { rc = sh(script: 'trufflehog git .', returnStatus: true) } } }
  }
  post { always { sh 'clean' } }
}
"""
    found = job(text, "pipeline", "Jenkinsfile")
    assert [(step.commands, step.ignored, step.condition) for step in found.steps] == [
        (("gitleaks git .",), True, ""),
        (("gitleaks dir .",), False, "branch main"),
        (("trufflehog git .",), True, ""),
        (("clean",), True, ""),
    ]
    assert found.starts == (("the job in Jenkins", Start.UNKNOWN),)


def test_libraries_and_steps_of_libraries_are_unread() -> None:
    text = "@Library(['one', 'two@v1']) _\nlibrary 'three'\nnode { load 'x.groovy' }"
    assert definition(text, "Jenkinsfile").unread == (
        "the Jenkins library one",
        "the Jenkins library two@v1",
        "the Jenkins library three",
        "the Jenkins library x.groovy",
    )
    assert definition("buildPlugin()", "Jenkinsfile").unread == ("the step buildPlugin of a Jenkins library",)
