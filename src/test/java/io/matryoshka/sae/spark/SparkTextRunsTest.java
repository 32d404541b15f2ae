package io.matryoshka.sae.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.Evaluation;
import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.eval.TextEvaluationRun;
import io.matryoshka.sae.internal.spark.job.ExportJob;
import io.matryoshka.sae.lm.ActivationExport;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.spark.support.Bookworm;
import io.matryoshka.sae.spark.support.LocalSpark;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts on Spark give the activations and the figures of one machine. */
@Tag("spark")
class SparkTextRunsTest {

  private static final Path MODEL = Bookworm.MODEL;
  private static final List<String> HOOKS = Bookworm.HOOKS;
  private static final TextRunOptions OPTIONS = TextRunOptions.defaults().tokensPerFile(1);

  /** Parts of at most 4096 tokens: what tasks of one part each write. */
  private static final int FILES = 3;

  @TempDir Path folder;

  private static LanguageModel model;
  private static List<Tokens> texts;
  private static SparkTextRuns runs;

  @BeforeAll
  static void open() throws IOException {
    model = LanguageModel.load(MODEL);
    Random random = new Random(3);
    texts = new ArrayList<>();
    for (int t = 0; t < 73; t++) {
      int[] ids = random.ints(1 + random.nextInt(250), 3, 4096).toArray();
      ids[0] = 2;
      texts.add(Tokens.of(ids));
    }
    runs = SparkTextRuns.on(LocalSpark.session(), ModelRef.folder(MODEL.toString()));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static long rows() {
    return texts.stream().mapToLong(Tokens::size).sum();
  }

  private List<Path> files(Path out) {
    return IntStream.range(0, FILES)
        .mapToObj(i -> out.resolve(ActivationExport.fileName(i)))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "publish://"})
  void activations_anyStore_areThoseOfOneMachine(String scheme) throws IOException {
    Path one = folder.resolve("one.safetensors");
    new ActivationExport(model, HOOKS, false, n -> {}).toFile(texts, one);
    Path out = folder.resolve("out");

    ActivationsResult result = runs.activations(texts, HOOKS, scheme + out, OPTIONS);

    assertThat(result).isEqualTo(new ActivationsResult(rows(), FILES, 0));
    for (String hook : HOOKS) {
      assertThat(Bookworm.read(files(out), hook)).isEqualTo(Bookworm.read(List.of(one), hook));
    }
    ActivationSource source =
        ActivationSource.open(List.of(out), SourceOptions.defaults().tensor(HOOKS.get(1)));
    assertThat(source.rows()).isEqualTo(rows());
    assertThat(out.resolve(ExportJob.INDEX)).content().contains("\"rows\" : " + rows());
  }

  @Test
  void activations_ofAStoppedRun_goOnWithTheMissingFiles() throws IOException {
    Path out = folder.resolve("out");
    runs.activations(texts, HOOKS, out.toString(), OPTIONS);
    List<Path> files = files(out);
    byte[] second = Files.readAllBytes(files.get(1));
    byte[] third = Files.readAllBytes(files.get(2));
    FileTime old = FileTime.fromMillis(1_000_000_000_000L);
    Files.setLastModifiedTime(files.get(0), old);
    Files.write(files.get(1), Arrays.copyOf(second, 1000)); // Damaged.
    Files.delete(files.get(2));
    Files.delete(out.resolve(ExportJob.INDEX));

    ActivationsResult result = runs.activations(texts, HOOKS, out.toString(), OPTIONS);

    assertThat(result.resumedFiles()).isEqualTo(1);
    assertThat(Files.getLastModifiedTime(files.get(0))).isEqualTo(old);
    assertThat(files.get(1)).hasBinaryContent(second);
    assertThat(files.get(2)).hasBinaryContent(third);
    assertThat(out.resolve(ExportJob.INDEX)).exists();
  }

  @Test
  void activations_inTheFolderOfAnotherRun_areRefused() throws IOException {
    Path out = folder.resolve("out");
    runs.activations(texts, HOOKS, out.toString(), OPTIONS);

    assertThatThrownBy(() -> runs.activations(texts, HOOKS.subList(0, 1), out.toString(), OPTIONS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("activations-00000.safetensors is of a run with another model");
    assertThatThrownBy(() -> runs.activations(texts.subList(0, 5), HOOKS, out.toString(), OPTIONS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is of a run with another model, other texts");
    SparkTextRuns rounded =
        SparkTextRuns.on(
            LocalSpark.session(), ModelRef.folder(MODEL.toString()).bfloat16Products(true));
    assertThatThrownBy(() -> rounded.activations(texts, HOOKS, out.toString(), OPTIONS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("model was \"bfloat16 products: false")
        .hasMessageContaining("now it is \"bfloat16 products: true");
  }

  @Test
  void activations_ofAnIdThatTheModelLacks_areRefusedBeforeTheJob() {
    List<Tokens> broken = new ArrayList<>(texts);
    broken.set(60, Tokens.of(2, 4096));
    Path out = folder.resolve("out");

    assertThatThrownBy(() -> runs.activations(broken, HOOKS, out.toString(), OPTIONS))
        .isInstanceOf(SparkJobException.class)
        .hasMessageStartingWith("text 60 (counted from 0): token id 4096 at position 1");
    assertThat(out).doesNotExist();
  }

  private Evaluation onOneMachine(EvaluationOptions options) throws IOException {
    try (SAE sae = SAE.load(Bookworm.SAE_FOLDER)) {
      return new TextEvaluationRun(model, options)
          .run(
              texts,
              List.of(TextEvaluationRun.Candidate.of(sae, () -> SAE.load(Bookworm.SAE_FOLDER))))
          .get(0);
    }
  }

  @Test
  void evaluate_givesTheFiguresOfOneMachineAndLeavesNothing() throws IOException {
    SparkRuns saes =
        SparkRuns.on(LocalSpark.session(), SaeRef.folder(Bookworm.SAE_FOLDER.toString()));
    EvaluationOptions batches = EvaluationOptions.defaults().batchRows(300);
    EvaluationRunOptions options = EvaluationRunOptions.defaults().evaluation(batches);
    Path work = folder.resolve("work");

    Evaluation found = runs.evaluate(saes, texts, "publish://" + work, OPTIONS, options);

    assertThat(found).isEqualTo(onOneMachine(batches));
    assertThat(found.maskedRows()).isEqualTo(texts.size());
    assertThat(work).doesNotExist();

    Evaluation again =
        runs.evaluate(saes, texts, work.toString(), OPTIONS.keepActivations(true), options);
    assertThat(again).isEqualTo(found);
    assertThat(files(work)).allSatisfy(file -> assertThat(file).exists());
    assertThat(work.resolve("mask/mask.safetensors")).exists();

    assertThat(runs.evaluate(saes, texts, work.toString(), OPTIONS, options)).isEqualTo(found);
    assertThat(files(work)).allSatisfy(file -> assertThat(file).exists());
    assertThat(work.resolve("mask")).doesNotExist();
  }
}
