package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.bench.SyntheticSae;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The fast engine against dense products on some thousand tokens; {@link LargeAgreementTest}. */
class AgreementTest {

  private static final int D_IN = 256;
  private static final int D_SAE = 4096;
  private static final int BLOCK = 512;
  private static final int BLOCKS = 6;

  /** How far from their threshold pre-activations are put. */
  private static final float[] OFFSETS = {0, 1e-7f, -1e-7f, 1e-6f, -1e-6f, 3e-5f, -3e-5f, 1e-3f};

  @TempDir Path folder;

  @Test
  void encode_tokens_isTheDenseFormula() throws IOException {
    SyntheticSae synthetic = new SyntheticSae(D_IN, D_SAE, 7);
    synthetic.write(folder);
    try (SAE sae = SAE.load(folder);
        Agreement agreement = new Agreement(folder, sae)) {
      for (int block = 0; block < BLOCKS; block++) {
        agreement.add(synthetic.tokens((long) block * BLOCK, BLOCK), BLOCK);
      }
      assertThat(agreement.differBeyond()).as("%s", agreement).isZero();
      assertThat(agreement.largestDifference()).isLessThan(1e-5);
      assertThat(agreement.active()).isGreaterThan(20L * BLOCK * BLOCKS);
    }
  }

  /** Moves each token along the encoder row of some latent until that is near its threshold. */
  private static void moveToThresholds(SAE sae, Agreement agreement, float[] x, Random random) {
    float[] bDec = agreement.bDec();
    float[] threshold = agreement.threshold();
    for (int row = 0; row < x.length / D_IN; row++) {
      int latent = random.nextInt(D_SAE);
      float[] w = sae.encoderRows(latent, latent + 1);
      double z = 0;
      double square = 0;
      for (int d = 0; d < D_IN; d++) {
        z += (double) (x[row * D_IN + d] - bDec[d]) * w[d];
        square += (double) w[d] * w[d];
      }
      double move = (threshold[latent] + OFFSETS[row % OFFSETS.length] - z) / square;
      for (int d = 0; d < D_IN; d++) {
        x[row * D_IN + d] += (float) (move * w[d]);
      }
    }
  }

  @Test
  void encode_tokensAtThresholds_differsFromTheDenseFormulaOnlyThere() throws IOException {
    SyntheticSae synthetic = new SyntheticSae(D_IN, D_SAE, 8);
    synthetic.write(folder);
    Random random = new Random(8);
    try (SAE sae = SAE.load(folder);
        Agreement agreement = new Agreement(folder, sae)) {
      for (int block = 0; block < BLOCKS; block++) {
        float[] x = synthetic.tokens((long) block * BLOCK, BLOCK);
        moveToThresholds(sae, agreement, x, random);
        agreement.add(x, BLOCK);
      }
      assertThat(agreement.differBeyond()).as("%s", agreement).isZero();
      assertThat(agreement.inBand()).isGreaterThan(BLOCK * BLOCKS / 2);
      assertThat(agreement.largestDifference()).isLessThan(1e-5);
    }
  }
}
