package io.matryoshka.sae.internal.kernel.prepared;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;

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

  /** The float rows {@code [latents, d_in]} of a segment, over the memory they lie in. */
  public NDArray rowsOf(int segment, NDManager scope) {
    Shape shape = new Shape(latentsIn(segment, dIn, dSae), dIn);
    return scope.create(rows[segment].duplicate().rewind(), shape, DataType.FLOAT32);
  }
}
