package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.DeviceCsr;
import io.matryoshka.sae.internal.kernel.ReferenceEngine;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.device.DeviceDecoder;
import io.matryoshka.sae.internal.kernel.device.DeviceEngine;

/** The fast engine of accelerators: all steps on the device, small calls through dense products. */
final class DeviceCoder extends Coder {

  private final DeviceEngine fast;
  private final ReferenceEngine reference;

  DeviceCoder(DeviceEngine fast, ReferenceEngine reference, Decoder decoder, int width) {
    super(fast, decoder, width);
    this.fast = fast;
    this.reference = reference;
  }

  @Override
  public Coder prefix(int prefixWidth) {
    return new DeviceCoder(fast, reference, decoder, prefixWidth);
  }

  @Override
  public NDArray encodeDense(PreparedRows rows, SelectionRule rule, NDManager scope) {
    return favoursDense(rows, rule)
        ? dense(rows, scope)
        : DeviceDecoder.dense(encodeOnDevice(rows, rule, scope, scope), width, scope);
  }

  @Override
  public NDArray decode(Csr latents, int latentsWidth, NDManager scope) {
    return decode(onDevice(latents, scope), scope);
  }

  @Override
  public NDArray[] decodeNested(Csr latents, int[] widths, NDManager scope) {
    return decodeNested(onDevice(latents, scope), widths, scope);
  }

  private static DeviceCsr onDevice(Csr latents, NDManager scope) {
    return DeviceCsr.of(latents, scope.getDevice(), scope);
  }

  @Override
  public NDArray reconstruct(PreparedRows rows, SelectionRule rule, NDManager scope) {
    return favoursDense(rows, rule)
        ? decode(dense(rows, scope), scope)
        : decode(encodeOnDevice(rows, rule, scope, scope), scope);
  }

  @Override
  public NDArray[] reconstructNested(
      PreparedRows rows, SelectionRule rule, int[] widths, NDManager scope) {
    return favoursDense(rows, rule)
        ? decoder.decodeNested(dense(rows, scope), widths, scope)
        : decodeNested(encodeOnDevice(rows, rule, scope, scope), widths, scope);
  }

  /** Tells whether dense latents are the fastest way from these rows to a dense result. */
  private boolean favoursDense(PreparedRows rows, SelectionRule rule) {
    return rule.kind() == SelectionRule.Kind.THRESHOLD && fast.favoursDense(rows.count(), width);
  }

  private NDArray dense(PreparedRows rows, NDManager scope) {
    return reference.latents(rows.shifted(scope), width, scope);
  }
}
