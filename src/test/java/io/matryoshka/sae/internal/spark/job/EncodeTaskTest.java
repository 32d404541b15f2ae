package io.matryoshka.sae.internal.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.spark.host.HostSae;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.spark.support.SparkRows;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeRun;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A task that is tried several times leaves what one attempt leaves. */
@Tag("spark")
class EncodeTaskTest {

  private static final EncodeOptions OPTIONS =
      EncodeOptions.defaults().saeName("demo").batchRows(128).rowsPerShard(500);

  @TempDir private Path folder;

  private Map<String, Integer> onOneMachine(Path in) throws IOException {
    Path run = folder.resolve("one-machine");
    try (SAE sae = SparkRows.sae()) {
      EncodeRun.toFolder(sae, ActivationSource.open(List.of(in), sae.dIn()), run, OPTIONS);
    }
    return SparkRows.contents(run);
  }

  /** As with speculation, or a host that was given up and goes on. */
  @ParameterizedTest
  @ValueSource(strings = {"", "publish://"})
  void encode_taskThatRunsSeveralTimesAtOnce_leavesTheSameBytes(String scheme) throws IOException {
    Path in = SparkRows.write(folder.resolve("in"), 1100, 0, 1500, 400);
    Path out = Files.createDirectories(folder.resolve("out"));
    Map<String, Integer> expected = onOneMachine(in);
    ActivationSource source = ActivationSource.open(List.of(in), SparkRows.D_IN);
    Configuration hadoop = LocalSpark.session().sparkContext().hadoopConfiguration();
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(LocalSpark.session().sparkContext());
    HostSae host = HostSae.of(SparkRows.RELEASE, SparkRows.SAE_ID);
    JobInput input = new JobInput(host.resolve(hadoop), source, source, RowRules.all(), hadoop);

    spark
        .parallelize(List.of(1, 1, 1, 1, 4, 4, 4, 4), 8)
        .foreach(new EncodeTask(spark.broadcast(input), scheme + out, OPTIONS));

    assertThat(SparkRows.contents(out))
        .hasSize(2)
        .allSatisfy((name, content) -> assertThat(content).isEqualTo(expected.get(name)));
  }
}
