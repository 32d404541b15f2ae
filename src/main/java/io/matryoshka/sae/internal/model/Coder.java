package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.DeviceCsr;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import java.util.function.Supplier;

/**
 * Encodes prepared rows to latents and decodes latents with one engine, over the first latents of
 * an SAE. Which subclass it is was decided when the SAE was opened ({@link Weights}); nothing on
 * the way of an activation asks again.
 *
 * <p>Decoded rows are {@code [n, d_in]} with {@code b_dec}, as they are before {@link
 * Normalizer#restore}. Results and temporaries are owned by the scope of the call, unless an owner
 * is named.
 */
public abstract sealed class Coder permits CpuCoder, DeviceCoder, ReferenceCoder {

  final EncodeEngine engine;
  final Decoder decoder;
  final int width;

  Coder(EncodeEngine engine, Decoder decoder, int width) {
    this.engine = engine;
    this.decoder = decoder;
    this.width = width;
  }

  /** A coder of the same engine over the first latents. */
  public abstract Coder prefix(int prefixWidth);

  /** Tells whether rows may be arrays of the caller, so that nothing may be made beside them. */
  public boolean readsInPlace() {
    return false;
  }

  /**
   * Runs a call where the engine wants it.
   *
   * @param multiplications about how much work it is
   * @param call the call
   */
  public <T> T compute(long multiplications, Supplier<T> call) {
    return call.get();
  }

  /** Encodes to dense latents {@code [n, width]} of the type of the weights. */
  public abstract NDArray encodeDense(PreparedRows rows, SelectionRule rule, NDManager scope);

  /** Encodes to Java memory. */
  public final Csr encode(PreparedRows rows, SelectionRule rule) {
    return rows.shift()
        .map(shift -> engine.encode(rows.rows(), shift, width, rule))
        .orElseGet(() -> engine.encode(rows.rows(), width, rule));
  }

  /** Encodes to arrays on the device of the rows, which the owner gets. */
  public final DeviceCsr encodeOnDevice(
      PreparedRows rows, SelectionRule rule, NDManager scope, NDManager owner) {
    return engine.encodeOnDevice(rows.shifted(scope), width, rule, owner);
  }

  /** Decodes dense latents {@code [n, width]}. */
  public final NDArray decode(NDArray latents, NDManager scope) {
    return decoder.decode(latents, scope);
  }

  /**
   * Decodes sparse latents.
   *
   * @param latents all below the width of this coder
   * @param latentsWidth number of latents that the indices count in
   * @param scope owns the result
   */
  public abstract NDArray decode(Csr latents, int latentsWidth, NDManager scope);

  /** Decodes sparse latents on their device. */
  public final NDArray decode(DeviceCsr latents, NDManager scope) {
    return decoder.decode(latents, scope);
  }

  /** Decodes sparse latents with every width. */
  public abstract NDArray[] decodeNested(Csr latents, int[] widths, NDManager scope);

  /** Decodes sparse latents on their device with every width. */
  public final NDArray[] decodeNested(DeviceCsr latents, int[] widths, NDManager scope) {
    return decoder.decodeNested(latents, widths, scope);
  }

  /** Encodes and decodes. */
  public NDArray reconstruct(PreparedRows rows, SelectionRule rule, NDManager scope) {
    return decode(encode(rows, rule), width, scope);
  }

  /** Encodes and decodes with every width. */
  public NDArray[] reconstructNested(
      PreparedRows rows, SelectionRule rule, int[] widths, NDManager scope) {
    return decodeNested(encode(rows, rule), widths, scope);
  }

  /** Counters of the encoder since it was made. */
  public final ScreeningStats stats() {
    return engine.stats();
  }

  /** Says in words which engine encodes, and how. */
  public final String description() {
    return engine.description();
  }

  /** Tells whether this is the plain engine that the fast ones are tested against. */
  public boolean isReference() {
    return false;
  }

  NDArray dense(Csr latents, int columns, NDManager scope) {
    return latents
        .toDense(new Shape(latents.rows(), columns), scope)
        .toType(decoder.dataType(), false);
  }
}
