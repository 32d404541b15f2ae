package example;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.eval.EvaluationRun;
import io.matryoshka.sae.eval.EvaluationRunOptions;
import io.matryoshka.sae.eval.WidthMetrics;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import io.matryoshka.sae.stream.EncodeResult;
import io.matryoshka.sae.stream.EncodeRun;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Encodes activations of many files, and measures the SAE on them: OUTPUT-FOLDER FILE... */
public final class ManyFiles {

  public static void main(String[] args) throws Exception {
    Path output = Path.of(args[0]);
    List<Path> inputs = Arrays.stream(args).skip(1).map(Path::of).toList();
    try (SAE sae = SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state")) {
      // One sequence of rows, mapped, in the order of the files; it may be far larger than memory.
      ActivationSource source = ActivationSource.open(inputs);

      // A run that was stopped goes on where it was when it is started again.
      EncodeResult encoded = EncodeRun.toFolder(sae, source, output, EncodeOptions.defaults());
      System.out.printf("%d rows, %.2f active latents a row%n", encoded.rows(), encoded.meanL0());

      EvaluationRunOptions options = EvaluationRunOptions.defaults();
      for (WidthMetrics m : EvaluationRun.run(sae, source, options).widths()) {
        System.out.printf(
            "the first %d latents explain %.3f of the variance%n",
            m.width(), m.explainedVariance().pooled());
      }
    }
  }
}
