package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.DeviceCsr;
import io.matryoshka.sae.internal.kernel.cpu.CpuDecoder;
import io.matryoshka.sae.internal.kernel.device.DeviceDecoder;
import java.util.Optional;

/**
 * Decodes latents, {@code f W_dec + b_dec}, in each form that they come in. Latents of an SAE that
 * rescales them are divided by the norms of their decoder rows first. Results are {@code [n, d_in]}
 * and owned by the scope of the call.
 */
final class Decoder {

  private final NDArray wDec;
  private final NDArray bDec;
  private final DecoderRowCheck check;
  private final Optional<float[]> norms;
  private final Optional<NDArray> normsArray;
  private final CpuDecoder workers;
  private final DeviceDecoder device;

  /**
   * Makes the decoder over arrays that the caller owns.
   *
   * @param wDec {@code [d_sae, d_in]}
   * @param bDec {@code [d_in]}
   * @param norms {@code [d_sae]} float32, by which latents are divided
   * @param check refuses rows that hold no numbers
   */
  Decoder(NDArray wDec, NDArray bDec, Optional<NDArray> norms, DecoderRowCheck check) {
    this.wDec = wDec;
    this.bDec = bDec;
    this.check = check;
    this.norms = norms.map(NDArray::toFloatArray);
    this.normsArray = norms;
    this.workers = new CpuDecoder(wDec);
    this.device = new DeviceDecoder(wDec);
  }

  /** Decodes dense latents {@code [n, width]} by the formula as it stands. */
  NDArray decode(NDArray latents, NDManager scope) {
    NDArray rows = part(wDec, ":" + latents.getShape().get(1), scope);
    return overNorms(latents, scope).matMul(rows).addi(bDec);
  }

  /** Decodes dense latents with every width, where each level is multiplied once. */
  NDArray[] decodeNested(NDArray latents, int[] widths, NDManager scope) {
    NDArray scaled = overNorms(latents, scope);
    NDArray[] results = new NDArray[widths.length];
    NDArray sums = null;
    int begin = 0;
    for (int level = 0; level < widths.length; level++) {
      String range = begin + ":" + widths[level];
      NDArray sum = part(scaled, ":, " + range, scope).matMul(part(wDec, range, scope));
      sums = level == 0 ? sum : sums.add(sum);
      results[level] = sums.add(bDec);
      begin = widths[level];
    }
    return results;
  }

  /** Decodes sparse latents on the workers of the CPU. */
  NDArray decodeOnWorkers(Csr latents, NDManager scope) {
    return workers.decode(overNorms(latents), scope).addi(bDec);
  }

  /** The same with every width. */
  NDArray[] decodeNestedOnWorkers(Csr latents, int[] widths, NDManager scope) {
    NDArray[] sums = workers.decodeNested(overNorms(latents), widths, scope);
    for (NDArray sum : sums) {
      sum.addi(bDec);
    }
    return sums;
  }

  /** Decodes sparse latents on their device. */
  NDArray decode(DeviceCsr latents, NDManager scope) {
    return device.decode(overNorms(latents, scope), scope).add(bDec);
  }

  /** The same with every width. */
  NDArray[] decodeNested(DeviceCsr latents, int[] widths, NDManager scope) {
    NDArray[] sums = device.decodeNested(overNorms(latents, scope), widths, scope);
    for (int level = 0; level < sums.length; level++) {
      sums[level] = sums[level].add(bDec);
    }
    return sums;
  }

  private NDArray overNorms(NDArray latents, NDManager scope) {
    if (normsArray.isEmpty()) {
      return latents;
    }
    NDArray divisors = part(normsArray.get(), ":" + latents.getShape().get(1), scope);
    return latents.div(divisors.toType(latents.getDataType(), false));
  }

  private Csr overNorms(Csr latents) {
    check.require(latents.latents());
    if (norms.isEmpty()) {
      return latents;
    }
    float[] values = latents.values().clone();
    for (int e = 0; e < values.length; e++) {
      values[e] /= norms.get()[latents.latents()[e]];
    }
    return new Csr(latents.rowOffsets(), latents.latents(), values);
  }

  private DeviceCsr overNorms(DeviceCsr latents, NDManager scope) {
    return normsArray.map(divisors -> device.overNorms(latents, divisors, scope)).orElse(latents);
  }

  /** The type of the weights and results. */
  DataType dataType() {
    return wDec.getDataType();
  }

  /** A view that the scope owns. */
  private static NDArray part(NDArray array, String range, NDManager scope) {
    NDArray part = array.get(new NDIndex(range));
    part.attach(scope);
    return part;
  }
}
