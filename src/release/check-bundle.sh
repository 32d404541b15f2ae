#!/usr/bin/env bash
# Builds what a release uploads to Maven Central, twice and without uploading it, and checks it as Central and a user would:
# src/release/check-bundle.sh
#
# The builds are made of the last commit, in clones below target/release-check, and signed with a key made for this run. Needs gpg,
# unzip and the checksum tools of GNU beside Maven 3.9 or later; takes about five minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
work=$root/target/release-check
rm -rf "$work"
mkdir -p "$work"
# A folder with a short name: the path of gpg's socket may have 107 characters.
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT

fail() {
  echo "check-bundle.sh: $*" >&2
  exit 1
}

step() {
  echo "check-bundle.sh: $*"
}

# Name and value of the first such element in the staged pom.
element() {
  sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" "$pom" | head -1
}

make_key() {
  export MAVEN_GPG_PASSPHRASE=throw-away
  local options=(--batch --quiet --pinentry-mode loopback --passphrase "$MAVEN_GPG_PASSPHRASE")
  gpg "${options[@]}" --quick-generate-key 'Throw-away key <throw-away@example.invalid>' rsa3072 sign never
  MAVEN_GPG_KEY=$(gpg "${options[@]}" --armor --export-secret-keys)
  export MAVEN_GPG_KEY
}

# Clones the last commit and gives it a home and a release version, unless it has them; the second clone is one of the first, under
# another path.
clone() {
  git clone --quiet "$root" "$work/first"
  cd "$work/first"
  git config user.name 'Release check'
  git config user.email 'release-check@example.invalid'
  if grep -q '<home.url>https://home.invalid/' pom.xml; then
    sed -i 's:<home.url>.*<:<home.url>https\://example.org/made-for-this-check<:' pom.xml
    git commit --quiet -a -m 'Make up a home'
    home_missing=true
  fi
  version=$(sed -n '0,/<version>/s:.*<version>\(.*\)</version>.*:\1:p' pom.xml)
  if [[ $version == *-SNAPSHOT ]]; then
    version=${version%-SNAPSHOT}
    src/release/prepare.sh "$version" >/dev/null
    git -c advice.detachedHead=false checkout --quiet "v$version"
  fi
  git clone --quiet "$work/first" "$work/second"
  cd "$work/second"
  git -c advice.detachedHead=false checkout --quiet "$(git -C "$work/first" rev-parse HEAD)"
  cd "$root"
}

# The command of docs/releasing.md, but for tests, the upload and the local repository.
build() {
  step "building $1"
  cd "$work/$1"
  mvn -B -ntp -q -Prelease deploy -DskipTests -DskipUpload=true -Dinvoker.skip -Dmaven.install.skip -Dspotless.check.skip
  mvn -B -ntp -q package -DskipTests -Dinvoker.skip -Dmaven.javadoc.skip -Dmaven.source.skip -Dspotless.check.skip
  mkdir target/bundle
  unzip -q target/central-publishing/central-bundle.zip -d target/bundle
  cd "$root"
}

check_files() {
  step "checking files, checksums and signatures"
  cd "$bundle"
  local name=matryoshka-sae-$version
  local expected="$name.jar $name.pom $name-bookworm-3m.jar $name-cyclonedx.json $name-javadoc.jar $name-sources.jar $name-spark.jar"
  local found
  found=$(find . -type f ! -name '*.asc' ! -name '*.md5' ! -name '*.sha*' -printf '%f\n' | sort | xargs)
  [[ $found == "$(xargs -n1 <<<"$expected" | sort | xargs)" ]] || fail "the bundle has other files than expected: $found"
  local file limit
  for file in $found; do
    # The jar for Spark holds DJL and Jackson.
    limit=10000000
    [[ $file == *-spark.jar ]] && limit=20000000
    (($(stat -c %s "$file") < limit)) || fail "$file has $(stat -c %s "$file") bytes, more than $limit"
    gpg --quiet --verify "$file.asc" "$file" 2>"$work/gpg.txt" || fail "the signature of $file: $(cat "$work/gpg.txt")"
    for sum in md5 sha1 sha256 sha512; do
      [[ $("${sum}sum" "$file" | cut -d' ' -f1) == "$(cat "$file.$sum")" ]] || fail "the $sum of $file is wrong"
    done
  done
  cd "$root"
}

check_pom() {
  step "checking the pom"
  local name
  for name in name description url licenses developers developer scm connection; do
    grep -q "<$name>" "$pom" || fail "Maven Central asks for <$name> in the pom"
  done
  grep -q SNAPSHOT "$pom" && fail "the pom names a SNAPSHOT"
  [[ $(element version) == "$version" ]] || fail "the pom has version $(element version), the tag $version"
  [[ $(element tag) == "v$version" ]] || fail "the pom has the tag $(element tag)"
}

# The licences of all that lies in the command-line jar are inside it.
check_licences() {
  step "checking the licences in the command-line jar"
  cd "$work/first"
  unzip -p "target/matryoshka-sae-$version-cli.jar" META-INF/THIRD-PARTY-LICENSES.txt >"$work/licences.txt"
  local jar
  for jar in "$version" "$version-spark"; do
    unzip -p "target/matryoshka-sae-$jar.jar" META-INF/LICENSE | cmp - LICENSE || fail "matryoshka-sae-$jar.jar lacks the licence"
  done
  unzip -p "target/matryoshka-sae-$version-spark.jar" META-INF/THIRD-PARTY-LICENSES.txt | cmp - "$work/licences.txt" ||
    fail "the jar for Spark has other licences than the command-line jar"
  mvn -B -ntp -q dependency:list -DincludeScope=runtime -DoutputFile="$work/bundled.txt"
  local group artifact rest
  grep ':jar:' "$work/bundled.txt" | sed 's/^ *//; s/ .*//' | while IFS=: read -r group artifact rest; do
    grep -q "^  $group:$artifact " "$work/licences.txt" ||
      fail "src/main/licenses/THIRD-PARTY-LICENSES.txt does not name $group:$artifact, which the command-line jar bundles"
  done
  cd "$root"
}

check_reproducible() {
  step "comparing two builds"
  local file
  for file in $(cd "$bundle" && ls ./*.jar ./*.pom ./*.json); do
    cmp "$bundle/$file" "${bundle/first/second}/$file" || fail "two builds give different bytes in $file"
  done
  file=target/matryoshka-sae-$version-cli.jar
  cmp "$work/first/$file" "$work/second/$file" || fail "two builds give different bytes in $file"
}

check_consumers() {
  step "building the consumer projects from the bundle"
  cd "$work/first"
  mvn -B -ntp -q invoker:run@consumer -Dit.settings=src/release/bundle-settings.xml -Dit.repository="$work/it-repository"
  grep -q '>bundle=' "$work"/it-repository/io/matryoshka/matryoshka-sae/"$version"/_remote.repositories ||
    fail "the consumer projects took the library from elsewhere"
  cd "$root"
}

make_key
clone
bundle=$work/first/target/bundle/io/matryoshka/matryoshka-sae/$version
pom=$bundle/matryoshka-sae-$version.pom
build first
check_files
check_pom
check_licences
check_consumers
build second
check_reproducible
step "matryoshka-sae $version could be published${home_missing:+, once pom.xml names its home}"
