package example;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.lm.Trace;
import java.util.Arrays;

/** Which latents a sentence activates, and what the model loses without one of them. */
public final class FromText {

  public static void main(String[] args) throws Exception {
    try (SAE sae = SAE.fromPretrained("bookworm-3m-res-matryoshka-demo", "blocks.5.hook_resid_post");
        LanguageModel model = LanguageModel.of(sae)) {
      Tokens tokens = model.tokens("The entire building complained about the noise.");
      SparseLatents latents;
      try (Trace trace = model.trace(tokens, HookPoint.of(sae))) {
        latents = sae.encodeSparse(trace.at(HookPoint.of(sae)));
      }
      for (int i = 1; i < tokens.size(); i++) {
        System.out.printf(
            "%-12s latent %d%n", tokens.piece(i), latents.strongest(i, 1).get(0).latent());
      }

      int strongest = latents.strongest(3, 1).get(0).latent();
      double before = mean(model.losses(tokens).crossEntropy());
      double after = mean(model.losses(tokens, Intervention.ablate(sae, strongest)).crossEntropy());
      System.out.printf("loss %.3f, without latent %d %.3f%n", before, strongest, after);
    }
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElseThrow();
  }
}
