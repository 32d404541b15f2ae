package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.matryoshka.sae.internal.bench.SyntheticSae;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The fast engine against dense products on an SAE of real size. Takes minutes, 2 GB of memory and
 * 1 GB of disk:
 *
 * <pre>{@code mvn test -Plarge -Dtest=LargeAgreementTest}</pre>
 *
 * <p>{@code -Dlarge.dIn}, {@code -Dlarge.dSae} and {@code -Dlarge.tokens} give other sizes, {@code
 * -Dlarge.device=gpu} another device of the fast engine. The summary is printed and written to
 * {@code target/agreement-<d_in>.txt}.
 */
@Tag("large")
class LargeAgreementTest {

  private static final int D_IN = Integer.getInteger("large.dIn", 2304);
  private static final int D_SAE = Integer.getInteger("large.dSae", 32768);
  private static final int TOKENS = Integer.getInteger("large.tokens", 100_000);
  private static final Device DEVICE = Device.of(System.getProperty("large.device", "cpu"), 0);
  private static final int BLOCK = 512;

  @TempDir Path folder;

  @Test
  void encode_manyTokens_isTheDenseFormula() throws IOException {
    SyntheticSae synthetic = new SyntheticSae(D_IN, D_SAE, 11);
    synthetic.write(folder);
    try (SAE sae = SAE.load(folder, LoadOptions.defaults().device(DEVICE));
        Agreement agreement = new Agreement(folder, sae)) {
      for (int first = 0; first < TOKENS; first += BLOCK) {
        int count = Math.min(BLOCK, TOKENS - first);
        agreement.add(synthetic.tokens(first, count), count);
      }
      System.out.println(agreement);
      Files.writeString(Path.of("target", "agreement-" + D_IN + ".txt"), agreement + "\n");
      assertThat(agreement.differBeyond()).as("%s", agreement).isZero();
      assertThat(agreement.largestDifference()).isLessThan(5e-5);
    }
  }
}
