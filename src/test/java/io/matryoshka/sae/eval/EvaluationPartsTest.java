package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.SourceOptions;
import io.matryoshka.sae.stream.StateException;
import io.matryoshka.sae.support.Merging;
import io.matryoshka.sae.support.Merging.Range;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * The parts of a set, evaluated apart and merged, give the figures of one run over the whole set.
 */
class EvaluationPartsTest {

  private static final int BATCH = 16;
  private static final EvaluationRunOptions OPTIONS =
      EvaluationRunOptions.defaults().evaluation(EvaluationOptions.defaults().batchRows(BATCH));

  private static SAE sae;
  private static ActivationSource source;
  private static Evaluation whole;

  @BeforeContainer
  static void evaluateWhole() throws IOException {
    sae = DemoActivations.sae();
    source =
        ActivationSource.open(
            List.of(
                DemoActivations.path("/io/matryoshka/sae/releases/demo/activations.safetensors")),
            SourceOptions.defaults().tensor("activations"));
    whole = EvaluationRun.run(sae, source, OPTIONS);
  }

  @AfterContainer
  static void close() {
    sae.close();
  }

  private static Evaluator part(Range range) throws IOException {
    return EvaluationRun.part(sae, source, source, OPTIONS, range.from(), range.to());
  }

  private static Evaluator joined(Evaluator one, Evaluator other) {
    one.merge(other);
    return one;
  }

  private static byte[] bytes(Evaluator evaluator) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    evaluator.save(out);
    return out.toByteArray();
  }

  private static Evaluator loaded(byte[] bytes) throws IOException {
    return Evaluator.load(new ByteArrayInputStream(bytes), sae, OPTIONS.evaluation());
  }

  /** Every figure but those of single latents. */
  private static double[] figures(Evaluation evaluation) {
    List<Double> figures = new ArrayList<>(List.of(evaluation.totalVariance()));
    collect(JSON.valueToTree(evaluation.widths()), figures);
    collect(JSON.valueToTree(evaluation.levels()), figures);
    assertThat(figures).hasSizeGreaterThan(60);
    return figures.stream().mapToDouble(d -> d).toArray();
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  private static void collect(JsonNode json, List<Double> figures) {
    if (json.isNumber()) {
      figures.add(json.doubleValue());
    }
    json.forEach(child -> collect(child, figures));
  }

  @Property(tries = 25)
  void merge_anySplitOrderAndTree_isWholeRun(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    List<Range> ranges = Merging.split(random, source.rows(), BATCH, 8);

    Evaluator merged =
        Merging.merge(
            random,
            ranges,
            range -> random.nextBoolean() ? part(range) : loaded(bytes(part(range))),
            EvaluationPartsTest::joined);

    assertThat(merged.rowsSeen()).isEqualTo(source.rows());
    assertThat(merged.result().rows()).isEqualTo(whole.rows());
    assertClose(figures(merged.result()), figures(whole));
    assertThat(merged.result().latents()).isEqualTo(whole.latents());
  }

  private static void assertClose(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(1e-12 * Math.abs(expected[i])));
    }
  }

  @Example
  void merge_batchesInOrder_isWholeRunToTheLastBit() throws IOException {
    Evaluator merged = Evaluator.of(sae, OPTIONS.evaluation());
    for (Evaluator part : batches()) {
      merged.merge(part);
    }

    assertThat(merged.result()).isEqualTo(whole);
  }

  @Example
  void merge_batchesReversedShuffledAndAsTree_isWholeRunToTheLastBit() throws IOException {
    List<List<Evaluator>> orders = List.of(batches(), batches());
    Collections.reverse(orders.get(0));
    Collections.shuffle(orders.get(1), new Random(5));
    List<Evaluator> tree = new ArrayList<>();
    for (int i = 0; i < 32; i += 8) {
      tree.add(
          batches().subList(i, i + 8).stream().reduce(EvaluationPartsTest::joined).orElseThrow());
    }
    for (List<Evaluator> parts : List.of(orders.get(0), orders.get(1), tree)) {
      Evaluator merged = parts.stream().reduce(EvaluationPartsTest::joined).orElseThrow();
      assertThat(figures(merged.result())).isEqualTo(figures(whole));
      assertThat(merged.result().latents()).isEqualTo(whole.latents());
    }
  }

  private static List<Evaluator> batches() throws IOException {
    List<Evaluator> parts = new ArrayList<>();
    for (long from = 0; from < source.rows(); from += BATCH) {
      parts.add(part(new Range(from, from + BATCH)));
    }
    return parts;
  }

  @Example
  void load_savedPart_isThePartToTheLastBit() throws IOException {
    Evaluator part = part(new Range(64, 256));
    byte[] saved = bytes(part);

    assertThat(loaded(saved).result()).isEqualTo(part.result());
    assertThat(bytes(loaded(saved))).isEqualTo(saved);
    assertThat(saved.length).isLessThan(24 * sae.dSae() + 16_384);
  }

  @Example
  void load_streamOfTwoParts_readsEachToItsEnd() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(bytes(part(new Range(0, 256))));
    out.write(bytes(part(new Range(256, 512))));
    ByteArrayInputStream in = new ByteArrayInputStream(out.toByteArray());

    Evaluator first = Evaluator.load(in, sae, OPTIONS.evaluation());
    first.merge(Evaluator.load(in, sae, OPTIONS.evaluation()));

    assertThat(in.available()).isZero();
    assertThat(first.result().rows()).isEqualTo(whole.rows());
  }

  @Example
  void load_damagedCutOrForeignState_isRefused() throws IOException {
    byte[] saved = bytes(part(new Range(0, 64)));
    Random random = new Random(3);
    for (int i = 0; i < 300; i++) {
      byte[] damaged = saved.clone();
      int at = i < 40 ? i : random.nextInt(saved.length);
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      assertThatThrownBy(() -> loaded(damaged)).isInstanceOf(StateException.class);
      byte[] cut = Arrays.copyOf(saved, at);
      assertThatThrownBy(() -> loaded(cut))
          .isInstanceOf(StateException.class)
          .hasMessageContaining("saved state of evaluation: is cut off");
    }
    assertThatThrownBy(
            () ->
                Evaluator.load(new ByteArrayInputStream(saved), sae, EvaluationOptions.defaults()))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("batch_rows was 16, now it is 2048");
    try (SAE prefix = sae.prefix(128)) {
      assertThatThrownBy(
              () -> Evaluator.load(new ByteArrayInputStream(saved), prefix, OPTIONS.evaluation()))
          .isInstanceOf(StateException.class)
          .hasMessageContaining("is of other settings: sae");
    }
    assertThatThrownBy(() -> loaded("{\"evaluation_state\": 2, \"settings\": {}}".getBytes()))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("is not a saved state of evaluation");
  }

  @Example
  void part_rangeWithinABatch_isRefused() {
    assertThatThrownBy(() -> part(new Range(8, 64)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("rows 8 to 64: a range must begin and end at multiples of the 16");
    assertThatThrownBy(() -> part(new Range(0, 520))).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Example
  void merge_statistics_addUp() throws IOException {
    LatentStatistics first = part(new Range(0, 128)).result().latents();
    LatentStatistics second = part(new Range(128, 512)).result().latents();

    assertThat(second.merge(first)).isEqualTo(whole.latents());
    assertThatThrownBy(
            () -> first.merge(LatentStatistics.of(1, new long[1], new double[1], new float[1])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got those of 1");
  }
}
