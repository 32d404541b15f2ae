package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** However the caller splits the rows, the result is the same to the last bit. */
class BatchSplitTest {

  private static final EvaluationOptions OPTIONS = EvaluationOptions.defaults().batchRows(90);

  private static SAE sae;
  private static float[] x;
  private static Evaluation whole;

  @BeforeContainer
  static void evaluateWhole() throws IOException {
    sae = DemoActivations.sae();
    x = DemoActivations.activations();
    Evaluator evaluator = Evaluator.of(sae, OPTIONS);
    evaluator.add(x);
    whole = evaluator.result();
  }

  @AfterContainer
  static void close() {
    sae.close();
  }

  @Property(tries = 30)
  void result_anySplit_isSameBits(
      @ForAll @Size(max = 12) List<@IntRange(max = 150) Integer> sizes) {
    Evaluator evaluator = Evaluator.of(sae, OPTIONS);
    int from = 0;
    for (int size : sizes) {
      int rows = Math.min(size, DemoActivations.ROWS - from);
      evaluator.add(FloatBuffer.wrap(x).position(from * DemoActivations.D_IN), rows);
      from += rows;
    }
    evaluator.add(
        FloatBuffer.wrap(x).position(from * DemoActivations.D_IN), DemoActivations.ROWS - from);
    assertThat(evaluator.result()).isEqualTo(whole);
  }
}
