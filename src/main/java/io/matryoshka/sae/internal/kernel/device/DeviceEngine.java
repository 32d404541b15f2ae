package io.matryoshka.sae.internal.kernel.device;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.config.LatentParameters;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.DeviceCsr;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.ScreeningCounters;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.TorchMethod;
import java.util.Optional;

/**
 * The fast encoder on an accelerator: screens all latents with a product of low precision and a
 * rigorous bound, then computes the survivors in float32, all on the device. Nothing but sizes
 * comes back to Java. Where the product is so small that starting work on the device costs more, a
 * float32 product screens. It runs on any device whose libtorch has the operations;
 * docs/performance.md derives the bound.
 *
 * <p>Rows are processed in blocks of at most {@value Tuning#DEVICE_BLOCK_ELEMENTS} pre-activations.
 * Beside the result a call holds about 10 bytes of device memory for each pre-activation of a block
 * and 60 bytes for each of its activations; top-k rules hold twice the former.
 */
public final class DeviceEngine implements EncodeEngine {

  private final NDArray rows;
  private final long int8From;
  private final LatentParameters parameters;
  private final NDManager owner;
  private final NDArray noFloor;
  private final TorchKernels kernels;
  private final ScreeningCounters counters = new ScreeningCounters();
  private final Terms byThreshold;

  /** Made when it is first asked for: of a gated SAE it takes codes with other factors. */
  private Optional<Terms> byValue = Optional.empty();

  /** What a rule needs: the encoder with the factors of its test, and the test. */
  private record Terms(DeviceScreen screen, DeviceLatentTerms test) {}

  DeviceEngine(NDArray rows, LatentParameters parameters, long int8From, NDManager owner) {
    this.rows = rows;
    this.parameters = parameters;
    this.int8From = int8From;
    this.owner = owner;
    kernels = TorchKernels.on(rows.getDevice());
    noFloor = owner.create(new float[1]);
    ActivationTest test = ActivationTest.of(parameters, SelectionRule.THRESHOLD);
    byThreshold = new Terms(screen(test), deviceTerms(test));
  }

  private synchronized Terms byValue() {
    if (byValue.isEmpty()) {
      ActivationTest test = ActivationTest.of(parameters, SelectionRule.topK(1));
      DeviceScreen screen = parameters.isGated() ? screen(test) : byThreshold.screen;
      byValue = Optional.of(new Terms(screen, deviceTerms(test)));
    }
    return byValue.get();
  }

  private DeviceScreen screen(ActivationTest test) {
    NDArray scale = owner.create(test.scale);
    DeviceEncoderRows encoder = DeviceEncoderRows.of(rows, scale, kernels, owner);
    return new DeviceScreen(encoder, kernels, int8From, counters);
  }

  private DeviceLatentTerms deviceTerms(ActivationTest test) {
    return DeviceLatentTerms.of(test, Math.toIntExact(rows.getShape().get(1)), owner);
  }

  /**
   * Makes the engine on the device of the weights and lets it encode a row. The codes take a
   * quarter of the memory of the rows.
   *
   * @param rows {@code [d_sae, d_in]} float32, see {@link #encoderRows}
   * @param parameters decide which latents are active
   * @param int8From multiplications of a block from which int8 products screen it instead of
   *     float32 products, such as {@link Tuning#DEVICE_INT8_FROM}
   * @return the engine, or empty where the device refuses, such as for want of memory
   */
  public static Optional<DeviceEngine> create(
      NDArray rows, LatentParameters parameters, long int8From) {
    NDManager owner = rows.getManager().newSubManager(rows.getDevice());
    try {
      DeviceEngine engine = new DeviceEngine(rows, parameters, int8From, owner);
      engine.byThreshold.screen.tryOut(engine.byThreshold.test, engine.noFloor);
      return Optional.of(engine);
    } catch (EngineException e) {
      owner.close();
      DeviceSupport.warn(rows.getDevice(), e);
      return Optional.empty();
    }
  }

  /**
   * Tells whether the libtorch of a device computes there what the engine needs, as a trial shows.
   *
   * @param device the device of the weights
   * @return false where the plain engine must serve
   */
  public static boolean runsOn(Device device) {
    return DeviceSupport.isSupported(device);
  }

  /**
   * Lays an encoder out latent after latent. Its transpose is a view that serves as {@code W_enc},
   * so the original can be closed.
   *
   * @param wEnc {@code [d_in, d_sae]}
   * @return {@code [d_sae, d_in]}, contiguous, on the manager of {@code wEnc}
   */
  public static NDArray encoderRows(NDArray wEnc) {
    return TorchKernels.on(wEnc.getDevice()).call(TorchMethod.ENCODER_ROWS, wEnc);
  }

  @Override
  public Csr encode(NDArray rows, int width, SelectionRule rule) {
    try (NDManager scope = rows.getManager().newSubManager()) {
      return encodeOnDevice(rows, width, rule, scope).toHost();
    }
  }

  @Override
  public DeviceCsr encodeOnDevice(NDArray rows, int width, SelectionRule rule, NDManager owner) {
    int n = Math.toIntExact(rows.getShape().get(0));
    try (NDManager scope = rows.getManager().newSubManager(rows.getDevice());
        NDManager host = scope.newSubManager(Device.cpu())) {
      DeviceScreen.Entries found =
          n == 0 ? DeviceScreen.none(scope) : entries(rows, width, rule, scope, host);
      NDArray latents = host.create((long) width);
      NDList csrOf = kernels.callAll(TorchMethod.CSR, found.keys(), latents, host.create((long) n));
      DeviceCsr csr = new DeviceCsr(csrOf.get(0), csrOf.get(1), found.values());
      csr.attach(owner);
      counters.addActive(found.values().size());
      return csr;
    }
  }

  private DeviceScreen.Entries entries(
      NDArray rows, int width, SelectionRule rule, NDManager scope, NDManager host) {
    long n = rows.getShape().get(0);
    boolean isThreshold = rule.kind() == SelectionRule.Kind.THRESHOLD;
    Terms terms = isThreshold ? byThreshold : byValue();
    DeviceScreen screen = terms.screen;
    DeviceScreen.Entries all =
        switch (rule.kind()) {
          case THRESHOLD -> screen.survivors(rows, width, 0, terms.test, noFloor, scope, host);
          case TOP_K -> screen.survivors(rows, width, rule.k(), terms.test, noFloor, scope, host);
          case BATCH_TOP_K -> {
            NDArray floor =
                screen
                    .lowerBound(rows, width, rule.k() * n, terms.test, scope, host)
                    .orElse(noFloor);
            yield screen.survivors(rows, width, 0, terms.test, floor, scope, host);
          }
        };
    return switch (rule.kind()) {
      case THRESHOLD -> all;
      case TOP_K -> {
        NDArray latents = host.create((long) width);
        NDArray k = host.create((long) rule.k());
        yield keep(TorchMethod.KEEP_OF_ROWS, all.keys(), all.values(), latents, k);
      }
      case BATCH_TOP_K ->
          keep(TorchMethod.KEEP_OF_BATCH, all.keys(), all.values(), host.create(rule.k() * n));
    };
  }

  private DeviceScreen.Entries keep(TorchMethod method, NDArray... arguments) {
    return new DeviceScreen.Entries(kernels.callAll(method, arguments));
  }

  @Override
  public boolean favoursDense(int rows, int width) {
    return byThreshold.screen.isSmall(rows, width);
  }

  /**
   * Returns what the engine holds beside the encoder rows.
   *
   * @return bytes of device memory
   */
  public long preparedBytes() {
    return byThreshold.screen.bytes();
  }

  @Override
  public ScreeningStats stats() {
    return counters.stats();
  }

  @Override
  public String description() {
    return "fast engine of accelerators";
  }
}
