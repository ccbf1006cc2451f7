#!/usr/bin/env bash
# Puts the judges of report formats into .cache/tools: the SARIF schema and multitool (npm), the JUnit schema (the sdist
# of pytest). Called by install.sh; on its own it does the same. What is there already is left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$(cd "$here/../.." && pwd)/.cache/tools
mkdir -p "$tools/npm" "$tools/schemas" "$tools/bin"

if ! cmp -s "$here/package-lock.json" "$tools/npm/package-lock.json" || [[ ! -d $tools/npm/node_modules ]]; then
  cp "$here/package.json" "$here/package-lock.json" "$tools/npm/"
  npm ci --prefix "$tools/npm" --ignore-scripts --no-audit --no-fund --loglevel=error
fi

# The program comes with the package, but not executable: an install script does that, and those are not run.
multitool=$tools/npm/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
chmod +x "$multitool"
ln -sf "$multitool" "$tools/bin/Sarif.Multitool"

if [[ ! -f $tools/schemas/junit-10.xsd ]]; then
  sdist=$(mktemp -d)
  trap 'rm -rf "$sdist"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary pytest --dest "$sdist" 'pytest==9.2.0'
  tar -xzf "$sdist"/pytest-*.tar.gz -C "$sdist" --strip-components=3 --wildcards '*/testing/example_scripts/junit-10.xsd'
  mv "$sdist/junit-10.xsd" "$tools/schemas/"
fi
