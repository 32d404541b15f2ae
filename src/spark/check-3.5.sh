#!/bin/sh
# Runs the jar for clusters, after mvn package, on Spark 3.5 with Scala 2.12, whose Jackson is older than ours, and
# compares what it writes with what the command line writes. For Linux on x86-64; needs 250 MB of jars at the first run.
set -eu
cd "$(dirname "$0")/../.."

jar=$(ls target/matryoshka-sae-*-spark.jar)
cli=$(ls target/matryoshka-sae-*-cli.jar)
work=target/spark-3.5
rm -rf "$work"
mkdir -p "$work"
work=$PWD/$work

mvn -q -B -ntp -f src/spark/pom.xml dependency:build-classpath -Dmdep.outputFile="$work/classpath"
options=$(sed -n 's|.*<spark.jvm.options>\(.*\)</spark.jvm.options>.*|\1|p' pom.xml)

sae="all-minilm-l6-v2-matryoshka-demo last_hidden_state"
rows="-i $PWD/releases/demo/activations.safetensors --rows-per-shard 100"
# shellcheck disable=SC2086
SPARK_LOCAL_IP=127.0.0.1 java $options -Dspark.master='local[2]' -Dspark.ui.enabled=false -Dai.djl.offline=true \
  -Djava.io.tmpdir="$work" -cp "$jar:$(cat "$work/classpath")" \
  io.matryoshka.sae.spark.SparkMain encode $sae $rows -o "$work/on-spark" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
# shellcheck disable=SC2086
java -jar "$cli" encode $sae $rows -o "$work/on-one-machine" --quiet

diff -r --exclude=.lock "$work/on-one-machine" "$work/on-spark"
echo "the same bytes on Spark 3.5 with Scala 2.12"
