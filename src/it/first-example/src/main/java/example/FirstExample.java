package example;

import io.matryoshka.sae.ActiveLatent;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;

public final class FirstExample {

  public static void main(String[] args) throws Exception {
    try (SAE sae = SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state")) {
      System.out.println(sae);

      // Stands in for the activations of your model, [n, d_in] row by row:
      // one row, made of 5 times the direction of latent 7 and 3 times that of latent 1500.
      int[] rowOffsets = {0, 2};
      int[] madeOf = {7, 1500};
      float[] strengths = {5, 3};
      float[] x = sae.decode(SparseLatents.of(rowOffsets, madeOf, strengths, sae.dSae()));

      SparseLatents latents = sae.encodeSparse(x);
      for (ActiveLatent active : latents.strongest(0, 3)) {
        System.out.printf("latent %d is active with %.2f%n", active.latent(), active.activation());
      }

      for (int width : sae.widths()) {
        try (SAE prefix = sae.prefix(width)) {
          float[] reconstruction = prefix.decode(prefix.encodeSparse(x));
          double rest = distance(x, reconstruction);
          System.out.printf("the first %d latents leave a rest of %.2f%n", width, rest);
        }
      }
    }
  }

  private static double distance(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return Math.sqrt(sum);
  }
}
