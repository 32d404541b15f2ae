package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.EvaluationOptions;
import io.matryoshka.sae.eval.Evaluator;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.StateException;
import io.matryoshka.sae.support.Merging;
import io.matryoshka.sae.support.Merging.Range;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** The parts of a source, looked at apart and merged, give what one pass over all rows gives. */
class ExplorationPartTest {

  private static final int BATCH = 16;

  /** Wider than a batch, so that a context at the end of a range reaches over several. */
  private static final int REACH = 20;

  private static SAE sae;
  private static ActivationSource source;
  private static ExplorerOptions options;
  private static Exploration whole;
  private static Path mask;

  @BeforeContainer
  static void exploreWhole() throws IOException {
    sae = DemoSource.sae();
    source = DemoSource.source();
    mask = Files.createTempFile("mask", ".npy");
    try (NpyWriter writer = NpyWriter.create(mask, source.rows())) {
      float[] counted = new float[(int) source.rows()];
      IntStream.range(0, counted.length).forEach(i -> counted[i] = i % 100 == 5 ? 0 : 1);
      writer.write(counted, 0, counted.length);
      writer.finish();
    }
    RowRules rules = RowRules.all().mask(RowMask.open(mask, Optional.empty()));
    List<Integer> latents = IntStream.range(0, 40).mapToObj(i -> i * 19).toList();
    options = new ExplorerOptions(latents, 4, REACH, 5, 3, 1 << 20, BATCH, rules, true);
    whole = new Explorer(sae).explore(source, options);
  }

  @AfterContainer
  static void close() throws IOException {
    sae.close();
    Files.delete(mask);
  }

  private static ExplorationPart part(Range range) throws IOException {
    return new Explorer(sae).part(source, options, range.from(), range.to());
  }

  private static byte[] bytes(ExplorationPart part) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    part.save(out);
    return out.toByteArray();
  }

  private static ExplorationPart loaded(byte[] bytes) throws IOException {
    return ExplorationPart.load(new ByteArrayInputStream(bytes), sae, options);
  }

  @Property(tries = 12)
  void finish_anySplitOrderAndTree_isWholeExploration(@ForAll long seed) throws IOException {
    Random random = new Random(seed);

    ExplorationPart merged =
        Merging.merge(
            random,
            Merging.split(random, source.rows(), BATCH, 6),
            range -> random.nextBoolean() ? part(range) : loaded(bytes(part(range))),
            (one, other) -> {
              one.merge(other);
              return one;
            });
    Exploration found = new Explorer(sae).finish(merged, source, options);

    assertThat(found.rows()).isEqualTo(whole.rows());
    assertThat(found.statistics()).isEqualTo(whole.statistics());
    assertThat(found.missedPairs()).isZero();
    assertThat(found.profiles()).isEqualTo(whole.profiles());
    for (int latent = 0; latent < sae.dSae(); latent++) {
      assertThat(found.contexts(latent)).isEqualTo(whole.contexts(latent));
    }
  }

  @Example
  void whole_pass_findsContextsAndPairs() {
    assertThat(whole.profiles()).anyMatch(profile -> !profile.children().isEmpty());
    assertThat(whole.profiles()).anyMatch(profile -> profile.contexts().size() == 4);
    assertThat(whole.contexts(0))
        .anyMatch(context -> context.activations().length == 2 * REACH + 1);
  }

  @Example
  void load_savedPart_isThePart() throws IOException {
    byte[] saved = bytes(part(new Range(64, 256)));

    assertThat(bytes(loaded(saved))).isEqualTo(saved);
    ExplorationPart empty = ExplorationPart.empty(sae, options);
    empty.merge(loaded(saved));
    assertThat(bytes(empty)).isEqualTo(saved);
  }

  @Example
  void finish_partsOfSomeRows_isRefused() throws IOException {
    ExplorationPart part = part(new Range(0, 256));

    assertThatThrownBy(() -> new Explorer(sae).finish(part, source, options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the parts hold 256 rows, the activations have 512");
  }

  @Example
  void merge_samePartTwice_isRefused() throws IOException {
    ExplorationPart part = part(new Range(0, 64));

    assertThatThrownBy(() -> part.merge(part(new Range(0, 64))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("both parts hold row");
  }

  @Example
  void load_damagedCutOrForeignState_isRefused() throws IOException {
    byte[] saved = bytes(part(new Range(0, 64)));
    Random random = new Random(3);
    for (int i = 0; i < 200; i++) {
      byte[] damaged = saved.clone();
      int at = i < 40 ? i : random.nextInt(saved.length);
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      assertThatThrownBy(() -> loaded(damaged)).isInstanceOf(StateException.class);
      assertThatThrownBy(() -> loaded(Arrays.copyOf(saved, at))).isInstanceOf(StateException.class);
    }
    ByteArrayOutputStream other = new ByteArrayOutputStream();
    Evaluator.of(sae, EvaluationOptions.defaults()).save(other);
    assertThatThrownBy(() -> loaded(other.toByteArray()))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("expected one of exploration, got one of evaluation");
    assertThatThrownBy(
            () ->
                ExplorationPart.load(
                    new ByteArrayInputStream(saved), sae, options.contexts(4, REACH + 1)))
        .isInstanceOf(StateException.class)
        .hasMessageContaining("reach was 20, now it is 21");
  }
}
