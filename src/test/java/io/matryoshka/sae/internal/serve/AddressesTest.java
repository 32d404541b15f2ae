package io.matryoshka.sae.internal.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.UnknownHostException;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AddressesTest {

  @Test
  void accepts_ownName_whereAllAddressesAreListenedOn() throws UnknownHostException {
    Addresses all = Addresses.of("0.0.0.0", () -> Optional.of("Desk"));
    assertThat(all.accepts("desk:7341", 7341)).isTrue();
    assertThat(all.accepts("192.168.0.7:7341", 7341)).isTrue();
    assertThat(all.accepts("evil.example:7341", 7341)).isFalse();
    Addresses loopback = Addresses.of("127.0.0.1", () -> Optional.of("desk"));
    assertThat(loopback.accepts("desk:7341", 7341)).isFalse();
  }

  @Test
  void accepts_numbers_whereTheMachineHasNoName() throws UnknownHostException {
    Addresses all = Addresses.of("0.0.0.0", Optional::empty);
    assertThat(all.accepts("192.168.0.7:7341", 7341)).isTrue();
    assertThat(all.accepts("localhost:7341", 7341)).isTrue();
    assertThat(all.accepts("evil.example:7341", 7341)).isFalse();
  }
}
