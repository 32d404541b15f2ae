package io.matryoshka.sae.internal.spark.host;

import ai.djl.Device;

/** Devices by name. */
public final class Devices {

  private Devices() {}

  public static Device parse(String name) {
    if (!name.matches("cpu|(gpu|cuda)(:\\d{1,3})?")) {
      throw new IllegalArgumentException(
          "device: expected cpu, gpu or gpu:N, got '%s'".formatted(name));
    }
    return name.equals("cpu")
        ? Device.cpu()
        : Device.of(Device.Type.GPU, name.contains(":") ? number(name) : 0);
  }

  private static int number(String name) {
    return Integer.parseInt(name.substring(name.indexOf(':') + 1));
  }
}
