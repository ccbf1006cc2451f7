#!/usr/bin/env bash
# Every check, in the order of how fast it answers. `--static` stops before the tests.
# AUDITOR_TESTS_STRICT=1 turns skips into failures.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=.venv/bin
export PATH="$PWD/$bin:$PWD/.cache/tools/bin:$PATH"

echo "style    ruff"
$bin/ruff check --quiet .
$bin/ruff format --quiet --check .
echo "types    mypy"
$bin/mypy --no-error-summary
echo "arrows   import-linter"
$bin/lint-imports --no-cache >.cache/arrows.log 2>&1 || { cat .cache/arrows.log; exit 1; }
[[ ${1:-} == --static ]] && exit 0

if [[ ${AUDITOR_TESTS_STRICT:-} != 1 ]]; then
  echo "tests    pytest (what a test needs and this machine lacks is skipped, and listed at the end)"
fi
exec $bin/pytest -n 2 --dist loadgroup -q "${@}"
