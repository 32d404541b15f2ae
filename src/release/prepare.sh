#!/usr/bin/env bash
# Makes the two commits and the tag of a release: src/release/prepare.sh VERSION [NEXT]
#
# The first commit gives VERSION to the pom, the documents and the changes, and is tagged vVERSION; the second goes on with
# NEXT-SNAPSHOT, the next minor version unless given. Nothing is pushed or uploaded: docs/releasing.md says what follows.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() {
  echo "prepare.sh: $*" >&2
  exit 1
}

version=${1:?usage: src/release/prepare.sh VERSION [NEXT]}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "a version has three numbers, such as 0.1.0; got $version"
IFS=. read -r major minor _ <<<"$version"
next=${2:-$major.$((minor + 1)).0}
[[ $next =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "the next version has three numbers, such as 0.2.0; got $next"

# The first <version> of the pom is the project's own; it has no parent.
current=$(sed -n '0,/<version>/s:.*<version>\(.*\)</version>.*:\1:p' pom.xml)
[[ $current == *-SNAPSHOT ]] || fail "pom.xml must have a -SNAPSHOT version to release from, but has $current"
grep -q '<home.url>https://home.invalid/' pom.xml &&
  fail "pom.xml does not name the project's home yet: set home.url as docs/releasing.md says, and commit that"
[[ -z $(git status --porcelain) ]] || fail "commit or drop the changes in the work tree first (git status)"
git rev-parse -q --verify "refs/tags/v$version" >/dev/null && fail "the tag v$version exists"
grep -q "^## $version (not yet released)$" docs/CHANGELOG.md ||
  fail "docs/CHANGELOG.md has no section '## $version (not yet released)'"

now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
readers=(README.md docs/install.md docs/cli.md docs/serve-api.md)
# A dependency is written with the version that readers should use, the last one released.
documented=$(sed -n '/<artifactId>matryoshka-sae</{n;s:.*<version>\(.*\)</version>.*:\1:p;q}' README.md)

sed -i "0,/<version>$current</s//<version>$version</" pom.xml
sed -i "s|<project.build.outputTimestamp>.*<|<project.build.outputTimestamp>$now<|; s|<tag>HEAD</tag>|<tag>v$version</tag>|" pom.xml
sed -i "/<artifactId>matryoshka-sae</{n;s:<version>$documented<:<version>$version<:}" "${readers[@]}"
sed -i "s|matryoshka-sae-$current-cli|matryoshka-sae-$version-cli|g; s|\"version\": \"$current\"|\"version\": \"$version\"|" "${readers[@]}"
sed -i "s:^## $version (not yet released)$:## $version (${now%T*}):" docs/CHANGELOG.md
git commit -q -a -m "Release $version"
git tag -a -m "Release $version" "v$version"

sed -i "0,/<version>$version</s//<version>$next-SNAPSHOT</; s:<tag>v$version</tag>:<tag>HEAD</tag>:" pom.xml
# What a clone builds is called by its own version.
sed -i "s|matryoshka-sae-$version-cli|matryoshka-sae-$next-SNAPSHOT-cli|g" "${readers[@]}"
sed -i "0,/^## $version /s//## $next (not yet released)\n\n&/" docs/CHANGELOG.md
git commit -q -a -m "Go on with $next-SNAPSHOT"

echo "Tagged v$version; the next version is $next-SNAPSHOT. To start the release: git push --follow-tags"
