#!/usr/bin/env bash
# Puts veraPDF, the PDF Association's validator, into .cache/tools: its jars from Maven Central, and a script that runs it.
# Called by install.sh; on its own it does the same. What is there already is left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$(cd "$here/../.." && pwd)/.cache/tools

if ! command -v java >/dev/null || ! command -v mvn >/dev/null; then
  echo "tests/tools: Java or Maven is not installed, so PDF/A and PDF/UA will not be validated" >&2
  exit 0
fi

if ! cmp -s "$here/verapdf/pom.xml" "$tools/verapdf/pom.xml"; then
  rm -rf "$tools/verapdf"
  mkdir -p "$tools/verapdf" "$tools/bin"
  echo "tests/tools: fetching veraPDF ..." >&2
  mvn --batch-mode --quiet --file "$here/verapdf/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$tools/verapdf/lib"
  cat >"$tools/bin/verapdf" <<'SCRIPT'
#!/usr/bin/env bash
exec java -cp "$(dirname "${BASH_SOURCE[0]}")/../verapdf/lib/*" org.verapdf.apps.GreenfieldCliWrapper "$@"
SCRIPT
  chmod +x "$tools/bin/verapdf"
  cp "$here/verapdf/pom.xml" "$tools/verapdf/"
fi
