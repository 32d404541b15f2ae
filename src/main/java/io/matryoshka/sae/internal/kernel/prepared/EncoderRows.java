package io.matryoshka.sae.internal.kernel.prepared;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * The encoder laid out for the fast path: one contiguous row per latent, in float32 and as int8
 * codes, so that a prefix is the leading part of every array and costs in proportion to its width.
 *
 * <p>Row {@code j} is approximated by {@code norms.step()[j] * codes[j]}. Rows lie in segments of
 * {@link #segmentLatents} latents, since a Java buffer ends at 2 GiB.
 */
public final class EncoderRows {

  /** Largest segment of float rows in bytes. */
  private static final long SEGMENT_BYTES = 1L << 30;

  /** Largest group of float rows in bytes. */
  private static final int GROUP_BYTES = 16 << 20;

  /** Segments begin at multiples of this many latents, so no screening tile crosses one. */
  static final int TILE_LATENTS = 2048;

  public final int dIn;
  public final int dSae;
  public final int segmentLatents;

  /** Little-endian float32 rows, one buffer per segment, see {@link NativeBytes#ALIGNMENT}. */
  public final ByteBuffer[] rows;

  private final FloatBuffer[] floats;

  /** Int8 codes, one buffer per segment. */
  public final ByteBuffer[] codes;

  public final LatentNorms norms;

  public EncoderRows(int dIn, int dSae, ByteBuffer[] rows, ByteBuffer[] codes, LatentNorms norms) {
    this.dIn = dIn;
    this.dSae = dSae;
    this.segmentLatents = segmentLatents(dIn);
    this.rows = rows;
    this.codes = codes;
    this.norms = norms;
    floats =
        Arrays.stream(rows)
            .map(memory -> memory.duplicate().rewind().order(ByteOrder.LITTLE_ENDIAN))
            .map(ByteBuffer::asFloatBuffer)
            .toArray(FloatBuffer[]::new);
    for (ByteBuffer segment : rows) {
      if (!NativeBytes.isAligned(segment)) {
        throw new IllegalArgumentException(
            "rows of the encoder must begin at a multiple of " + NativeBytes.ALIGNMENT + " bytes");
      }
    }
  }

  public static int segmentLatents(int dIn) {
    long latents = SEGMENT_BYTES / ((long) dIn * Float.BYTES);
    return (int) Math.max(1, latents / TILE_LATENTS) * TILE_LATENTS;
  }

  /** Latents that are prepared, written and checked together; a segment holds whole groups. */
  static int groupLatents(int dIn) {
    long fitting = Integer.highestOneBit(Math.max(1, GROUP_BYTES / (dIn * Float.BYTES)));
    return (int) Math.min(TILE_LATENTS, fitting);
  }

  public static int segments(int dIn, int dSae) {
    int segmentLatents = segmentLatents(dIn);
    return (dSae + segmentLatents - 1) / segmentLatents;
  }

  /** Number of latents in a segment. */
  public static int latentsIn(int segment, int dIn, int dSae) {
    int segmentLatents = segmentLatents(dIn);
    return Math.min(segmentLatents, dSae - segment * segmentLatents);
  }

  /** The float row of a latent, in the memory of its segment. */
  public FloatBuffer floats(int latent) {
    return floats[latent / segmentLatents];
  }

  /** Where the row of a latent begins in {@link #floats}. */
  public int position(int latent) {
    return latent % segmentLatents * dIn;
  }
}
