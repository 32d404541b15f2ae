package io.matryoshka.sae.model;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;

/** Starts DJL's PyTorch engine the way this library needs it. */
public final class Engines {

  private static final String NAME = "PyTorch";

  /** DJL's switch for its usage report, which a library has no business to send. */
  private static final String NO_REPORT = "OPT_OUT_TRACKING";

  private Engines() {}

  public static NDManager newManager(Device device) {
    if (System.getProperty(NO_REPORT) == null) {
      System.setProperty(NO_REPORT, "true");
    }
    Engine engine = Engine.getEngine(NAME);
    if (device.isGpu() && engine.getGpuCount() <= device.getDeviceId()) {
      throw new IllegalArgumentException(
          "device "
              + device
              + " is not there: the engine sees "
              + engine.getGpuCount()
              + " GPUs; use Device.cpu(), or put a CUDA build of pytorch-native on the class path");
    }
    return engine.newBaseManager(device);
  }
}
