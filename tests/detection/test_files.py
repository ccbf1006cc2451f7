"""What a file's name and its first line tell."""

import pytest

from auditor.detection import files
from auditor.redaction.notation import Notation


@pytest.mark.parametrize(
    ("path", "notation"),
    [
        ("main.go", Notation.CODE),
        ("Vagrantfile", Notation.CODE),
        ("values.yaml", Notation.DATA),
        ("values.yaml.gotmpl", Notation.DATA),
        ("etc/my.cnf.j2", Notation.DATA),
        ("a/.env", Notation.DATA),
        (".env.production", Notation.DATA),
        ("prod.env", Notation.DATA),
        ("group_vars/all", Notation.DATA),
        ("docker-compose.override", Notation.DATA),
        ("main.tf", Notation.HCL),
        ("prod.auto.tfvars", Notation.HCL),
        ("Dockerfile", Notation.SHELL),
        ("Dockerfile.alpine", Notation.SHELL),
        ("run.sh.tpl", Notation.SHELL),
        ("Makefile", Notation.SHELL),
        ("README", Notation.PROSE),
        ("README.md", Notation.PROSE),
        ("NOTES.txt", Notation.PROSE),
        ("docs/setup/llms-full.txt", Notation.PROSE),
        ("docs/conf.py", Notation.CODE),
        ("creds.txt", Notation.UNKNOWN),
        ("bin/run", Notation.UNKNOWN),
        ("", Notation.UNKNOWN),
    ],
)
def test_the_name_tells_the_notation(path: str, notation: Notation) -> None:
    assert files.notation_of(path) is notation


@pytest.mark.parametrize(
    ("content", "notation"),
    [
        (b"#!/bin/sh\nset -e\n", Notation.SHELL),
        (b"#! /usr/bin/env bash", Notation.SHELL),
        (b"#!/usr/bin/env -S python3.12 -u\n", Notation.CODE),
        (b"#!/usr/bin/perl -w\n", Notation.CODE),
        (b"#!", Notation.UNKNOWN),
        (b"# a comment\n#!/bin/sh\n", Notation.UNKNOWN),
        (b"", Notation.UNKNOWN),
    ],
)
def test_the_first_line_tells_where_the_name_does_not(content: bytes, notation: Notation) -> None:
    assert files.notation_by_head(content) is notation


def test_lists_of_packages_are_told_by_their_names() -> None:
    assert files.locked("web/package-lock.json")
    assert files.locked("go.sum")
    assert not files.locked("package.json")


@pytest.mark.parametrize(
    "path", ["a/tests/x.py", "pkg/x_test.go", "test_x.py", "web/login.spec.ts", "src/test/Key.java"]
)
def test_tests_of_programs_are_told_by_where_they_are(path: str) -> None:
    assert files.tests(path)


@pytest.mark.parametrize("path", ["latest/x.py", "contest.go", "attestation/main.tf", "testing.yaml"])
def test_other_files_are_no_tests(path: str) -> None:
    assert not files.tests(path)


@pytest.mark.parametrize("path", ["web/locales/de.json", "lang/lang.pt-br.json", "messages_de.properties", "po/sv.po"])
def test_texts_in_a_language_are_told_by_their_names(path: str) -> None:
    assert files.translates(path)


@pytest.mark.parametrize("path", ["language.go", "messages.proto", "slang/values.yaml", "lang.go"])
def test_other_files_are_no_translations(path: str) -> None:
    assert not files.translates(path)
