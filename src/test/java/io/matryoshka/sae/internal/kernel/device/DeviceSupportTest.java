package io.matryoshka.sae.internal.kernel.device;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import org.junit.jupiter.api.Test;

class DeviceSupportTest {

  @Test
  void isGiven_cpu_isTrue() {
    assertThat(DeviceSupport.isSupported(Device.cpu())).isTrue();
  }

  @Test
  void isGiven_deviceThatIsNotThere_isFalse() {
    assertThat(DeviceSupport.isSupported(Device.of("mps", 7))).isFalse();
    assertThat(DeviceSupport.isSupported(Device.of("gpu", 99))).isFalse();
  }
}
