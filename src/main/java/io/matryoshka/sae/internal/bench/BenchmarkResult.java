package io.matryoshka.sae.internal.bench;

import ai.djl.Device;
import io.matryoshka.sae.internal.kernel.cpu.MachineLimits;
import java.util.List;
import java.util.Optional;

/**
 * What was measured of one SAE.
 *
 * @param name what it is called
 * @param device where it computed
 * @param dIn the width of a model activation
 * @param dSae the number of latents
 * @param hasFastEngine whether it has a fast engine; else only dense products were timed
 * @param meanL0 mean number of active latents of the tokens, at the full width
 * @param measurements the operations
 * @param loads the ways to load it; empty if that was not asked for
 * @param memory resident memory, where the system tells it and loading was asked for
 */
public record BenchmarkResult(
    String name,
    Device device,
    int dIn,
    int dSae,
    boolean hasFastEngine,
    double meanL0,
    List<Measurement> measurements,
    List<LoadTiming> loads,
    Optional<MemoryUse> memory) {

  /**
   * Copies the lists.
   *
   * @param name what it is called
   * @param device where it computed
   * @param dIn the width of a model activation
   * @param dSae the number of latents
   * @param hasFastEngine whether it has a fast engine; else only dense products were timed
   * @param meanL0 mean number of active latents of the tokens, at the full width
   * @param measurements the operations
   * @param loads the ways to load it; empty if that was not asked for
   * @param memory resident memory, where the system tells it and loading was asked for
   */
  public BenchmarkResult {
    measurements = List.copyOf(measurements);
    loads = List.copyOf(loads);
  }

  /**
   * Tells how close a measurement of this result is to what the processor permits.
   *
   * @param measurement one of the measurements
   * @param limits of the processor, in the same run
   * @return see {@link Measurement#shareOfLimit}; NaN on other devices than the CPU
   */
  public double shareOfLimit(Measurement measurement, MachineLimits limits) {
    boolean cpu = device.getDeviceType().equals(Device.Type.CPU);
    return cpu ? measurement.shareOfLimit(limits) : Double.NaN;
  }
}
