package io.matryoshka.sae.internal.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.DeviceCsr;
import io.matryoshka.sae.internal.kernel.ReferenceEngine;
import io.matryoshka.sae.internal.kernel.SelectionRule;

/** The formulas as they stand, on any device and in float64, too. */
final class ReferenceCoder extends Coder {

  private final ReferenceEngine reference;

  ReferenceCoder(ReferenceEngine reference, Decoder decoder, int width) {
    super(reference, decoder, width);
    this.reference = reference;
  }

  @Override
  public Coder prefix(int prefixWidth) {
    return new ReferenceCoder(reference, decoder, prefixWidth);
  }

  @Override
  public NDArray encodeDense(PreparedRows rows, SelectionRule rule, NDManager scope) {
    return rule.kind() == SelectionRule.Kind.THRESHOLD
        ? reference.latents(rows.shifted(scope), width, scope)
        : dense(encode(rows, rule), width, scope);
  }

  @Override
  public NDArray decode(Csr latents, int latentsWidth, NDManager scope) {
    return decode(dense(latents, Math.min(latentsWidth, width), scope), scope);
  }

  @Override
  public NDArray[] decodeNested(Csr latents, int[] widths, NDManager scope) {
    return scope.getDevice().getDeviceType().equals(Device.Type.CPU)
        ? decoder.decodeNestedOnWorkers(latents, widths, scope)
        : decodeNested(DeviceCsr.of(latents, scope.getDevice(), scope), widths, scope);
  }

  @Override
  public boolean isReference() {
    return true;
  }
}
