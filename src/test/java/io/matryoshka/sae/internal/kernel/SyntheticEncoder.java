package io.matryoshka.sae.internal.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsBuilder;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsStore;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * A synthetic encoder whose weights follow from a seed, and what its layout must be, worked out row
 * by row. Several groups of latents, the last one not full.
 */
public record SyntheticEncoder(long seed) {

  public static final int D_IN = 7;
  public static final int D_SAE = 4500;

  /** {@code W_enc[dim][latent]}, between -1 and 1. */
  public float weight(int dim, int latent) {
    long mixed = (seed * 31 + (long) dim * D_SAE + latent + 1) * 0x9e3779b97f4a7c15L;
    return (mixed >> 40) * 0x1p-23f;
  }

  public WeightSource source() {
    return (first, target, count) -> {
      for (int i = 0; i < count; i++) {
        long at = first + i;
        target[i] = weight((int) (at / D_SAE), (int) (at % D_SAE));
      }
    };
  }

  public EncoderRowsStore store(Path file) {
    return new EncoderRowsStore(file, seed);
  }

  public EncoderRows loadOrBuild(Path file) throws IOException {
    return store(file).loadOrBuild(source(), D_IN, D_SAE);
  }

  /** Checks a layout against the weights. */
  public void assertIsLayout(EncoderRows rows) {
    assertThat(rows.dIn).isEqualTo(D_IN);
    assertThat(rows.dSae).isEqualTo(D_SAE);
    assertThat(rows.rows).hasSize(1);
    for (int latent = 0; latent < D_SAE; latent++) {
      float largest = 0;
      double square = 0;
      double rest = 0;
      for (int d = 0; d < D_IN; d++) {
        float w = weight(d, latent);
        int at = latent * D_IN + d;
        if (rows.rows[0].getFloat(at * Float.BYTES) != w) {
          assertThat(rows.rows[0].getFloat(at * Float.BYTES)).as("row %d", latent).isEqualTo(w);
        }
        largest = Math.max(largest, Math.abs(w));
        square += (double) w * w;
        double error = w - (double) rows.norms.step()[latent] * rows.codes[0].get(at);
        rest += error * error;
        if (Math.abs(error) > 0.5001 * rows.norms.step()[latent]) {
          assertThat(Math.abs(error)).as("code of latent %d", latent).isZero();
        }
      }
      if (rows.norms.step()[latent] != largest / 127
          || !(rows.norms.norm()[latent] >= Math.sqrt(square))
          || !(rows.norms.norm()[latent] <= 1.0001 * Math.sqrt(square))
          || !(rows.norms.residualNorm()[latent] >= Math.sqrt(rest))
          || !(rows.norms.residualNorm()[latent] <= 1.0001 * Math.sqrt(rest))) {
        throw new AssertionError("norms of latent " + latent + " are wrong");
      }
    }
  }

  /** A number over all bytes of a layout. */
  public static long digest(EncoderRows rows) {
    CRC32C crc = new CRC32C();
    for (int s = 0; s < rows.rows.length; s++) {
      crc.update(rows.rows[s].duplicate().rewind());
      crc.update(rows.codes[s].duplicate().rewind());
    }
    for (float[] array :
        Arrays.asList(rows.norms.step(), rows.norms.norm(), rows.norms.residualNorm())) {
      ByteBuffer bytes = ByteBuffer.allocate(array.length * Float.BYTES);
      bytes.asFloatBuffer().put(array);
      crc.update(bytes);
    }
    return crc.getValue();
  }

  /** The digest of the layout, without any file. */
  public long digest() throws IOException {
    return digest(EncoderRowsBuilder.inMemory(source(), D_IN, D_SAE));
  }
}
