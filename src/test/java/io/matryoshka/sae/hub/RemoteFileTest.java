package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemoteFileTest {
  private static final String REPO = "owner/name";
  private static final RepoFile FILE = RepoFile.of(REPO, "w.safetensors");
  private static final byte[] CONTENT = HubClientTest.randomBytes(100_000);

  @TempDir Path cache;
  private FakeHub hub;

  @BeforeEach
  void startHub() throws IOException {
    hub = FakeHub.start().lfs(REPO, FILE.filename(), CONTENT).requireToken(REPO, "hf_secret");
  }

  @AfterEach
  void stopHub() throws IOException {
    assertThat(hub.tokenLeaks()).isEmpty();
    hub.close();
  }

  private RemoteFile open() throws IOException {
    return hub.client(cache)
        .token("hf_secret")
        .retries(2, Duration.ofMillis(2))
        .downloadTimeout(Duration.ofMillis(250))
        .build()
        .open(FILE);
  }

  private static byte[] part(int from, int to) {
    return Arrays.copyOfRange(CONTENT, from, to);
  }

  private static byte[] read(RemoteFile remote, int from, int to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(to - from);
    remote.read(from, buffer);
    return buffer.array();
  }

  @Test
  void open_file_tellsWhatItIs() throws IOException {
    RemoteFile remote = open();

    assertThat(remote.file()).isEqualTo(FILE);
    assertThat(remote.commit()).isEqualTo(hub.commit(REPO, "main"));
    assertThat(remote.etag()).isEqualTo(FakeContent.of(CONTENT).etag(true));
    assertThat(remote.size()).hasValue(CONTENT.length);
    assertThat(remote).asString().contains("owner/name@main: w.safetensors");
    assertThat(hub.bodyBytes()).isZero();
    assertThat(cache).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0, 100000", "17, 5017", "99999, 100000", "500, 500"})
  void read_range_bringsTheseBytesOnly(int from, int to) throws IOException {
    RemoteFile remote = open();

    assertThat(read(remote, from, to)).isEqualTo(part(from, to));
    assertThat(hub.bodyBytes()).isEqualTo(to - from);
  }

  @Test
  void read_intoChannel_writesInOrder() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();

    open().read(1000, 60_000, Channels.newChannel(out));

    assertThat(out.toByteArray()).isEqualTo(part(1000, 61_000));
  }

  @Test
  void read_brokenConnections_goesOn() throws IOException {
    hub.bodyFaults(
        new Fault.Cut(20_000),
        new Fault.Stall(10_000),
        new Fault.Reset(),
        new Fault.Status(503, Map.of()));

    assertThat(read(open(), 10, 90_010)).isEqualTo(part(10, 90_010));
  }

  @Test
  void read_expiredAddress_asksForAFreshOne() throws IOException {
    RemoteFile remote = open();
    hub.expireSignatures();

    assertThat(read(remote, 5, 10)).isEqualTo(part(5, 10));
  }

  @Test
  void read_fileThatChanged_isAnError() throws IOException {
    RemoteFile remote = open();
    hub.lfs(REPO, FILE.filename(), new byte[100_000]).expireSignatures();

    assertThatThrownBy(() -> read(remote, 5, 10))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining("the file has changed on the Hub");
  }

  @Test
  void read_serverWithoutRanges_isRefused() throws IOException {
    RemoteFile remote = open();
    hub.everyBody(new Fault.IgnoreRange());

    assertThatThrownBy(() -> read(remote, 5, 10))
        .isInstanceOf(RangesUnsupportedException.class)
        .hasMessageContaining("expected 206, got 200")
        .hasMessageContaining("download the whole file instead");
  }

  @Test
  void read_otherRangeThanAskedFor_isRefused() throws IOException {
    RemoteFile remote = open();
    hub.everyBody(new Fault.WrongContentRange());

    assertThatThrownBy(() -> read(remote, 5, 10)).isInstanceOf(RangesUnsupportedException.class);
  }

  @ParameterizedTest
  @CsvSource({"-1, 1", "0, 100001", "100000, 1", "9223372036854775807, 1"})
  void read_outsideTheFile_isRefused(long offset, int length) throws IOException {
    RemoteFile remote = open();
    ByteBuffer buffer = ByteBuffer.allocate(length);

    assertThatThrownBy(() -> remote.read(offset, buffer))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("within the 100000 bytes of owner/name@main: w.safetensors")
        .hasMessageContaining("got offset " + offset + " and length " + length);
  }
}
