package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.matryoshka.sae.support.ChildJvm;
import io.matryoshka.sae.support.SourceFiles;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the engine does in a JVM of its own. */
class EngineProcessTest {

  private static final Path DEMO =
      SourceFiles.PROJECT.resolve("releases/demo/all-minilm-l6-v2-matryoshka");

  private static List<String> run(List<String> options, Object... arguments) throws Exception {
    try (ChildJvm child = ChildJvm.start(List.of(), options, EngineMain.class, arguments)) {
      return child.finish();
    }
  }

  @ParameterizedTest
  @EnumSource(LoadOptions.Engine.class)
  void threads_limitOfTheJvm_isKept(LoadOptions.Engine engine) throws Exception {
    assumeThat(System.getenv("OMP_NUM_THREADS")).as("a number that the user chose").isNull();
    List<String> lines =
        run(List.of("-XX:ActiveProcessorCount=1", "-Dengine=" + engine), "threads", DEMO);
    assertThat(lines).anyMatch(line -> line.matches("WORKERS [01] TORCH 1"));
  }

  @Test
  void load_secondClassLoader_saysWhatToDo() throws Exception {
    List<String> lines = run(List.of(), "loaders", DEMO);
    assertThat(lines).filteredOn("LOADED"::equals).hasSize(1);
    assertThat(lines)
        .filteredOn(line -> line.startsWith("FAILED"))
        .singleElement()
        .asString()
        .contains("one shared class loader");
  }
}
