#!/usr/bin/env bash
# Puts the programs that tests compare with into .cache/tools/bin: helm, and Kubernetes' own YAML reader.
# Needs Go and its module proxy. Done once for each state of the go.mod, go.sum and source files here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
bin="$(cd ../.. && pwd)/.cache/tools/bin"

if ! command -v go >/dev/null; then
  echo "tests/tools: Go is not installed, so tests that compare with helm and Kubernetes' reader will be skipped" >&2
fi
mkdir -p "$bin"

# build NAME FOLDER PACKAGE: compile unless the stamp says that this very state was compiled already.
build() {
  local name=$1 folder=$2 package=$3 state
  state=$(cat install.sh "$folder"/go.mod "$folder"/go.sum "$folder"/*.go | sha256sum | cut -c1-64)
  if [[ -x $bin/$name && $(cat "$bin/.$name.state" 2>/dev/null) == "$state" ]]; then
    return
  fi
  echo "tests/tools: building $name ..." >&2
  (cd "$folder" && GOFLAGS=-mod=readonly CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$bin/$name.new" "$package")
  mv "$bin/$name.new" "$bin/$name"
  echo "$state" >"$bin/.$name.state"
}

if command -v go >/dev/null; then
  build yaml-oracle yaml-oracle .
  build helm go helm.sh/helm/v3/cmd/helm
fi

for other in npm.sh verapdf.sh; do
  bash "$other"
done
