package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
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
    return HubClient.of(
            hub.client(cache)
                .token("hf_secret")
                .retries(2, Duration.ofMillis(2))
                .downloadTimeout(Duration.ofSeconds(2)))
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

  @Test
  void readMany_ranges_comeInOrderOverSeveralConnections() throws IOException {
    List<ByteRange> ranges = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      ranges.add(new ByteRange(i * 400L, 1 + i));
    }
    hub.bodyFaults(new Fault.Cut(0), new Fault.Drip(1, 3), new Fault.Reset());
    List<ByteRange> seen = new ArrayList<>();

    open()
        .read(
            ranges,
            5,
            (range, data) -> {
              seen.add(range);
              byte[] bytes = new byte[data.remaining()];
              data.get(bytes);
              assertThat(bytes).isEqualTo(part((int) range.offset(), (int) range.end()));
            });

    assertThat(seen).isEqualTo(ranges);
  }

  @Test
  void readMany_failingConsumer_endsTheReading() throws IOException {
    List<DownloadProgress.Phase> phases = new ArrayList<>();
    RemoteFile remote =
        HubClient.of(
                hub.client(cache)
                    .token("hf_secret")
                    .progress(progress -> phases.add(progress.phase())))
            .open(FILE);
    List<ByteRange> ranges = Collections.nCopies(50, new ByteRange(0, 10));

    assertThatThrownBy(
            () ->
                remote.read(
                    ranges,
                    2,
                    (range, data) -> {
                      throw new IOException("disk full");
                    }))
        .hasMessage("disk full");
    assertThat(phases)
        .containsExactly(DownloadProgress.Phase.STARTED, DownloadProgress.Phase.FAILED);
  }

  @Test
  void readMany_badArguments_areRefusedBeforeAnythingIsRead() throws IOException {
    RemoteFile remote = open();
    List<ByteRange> outside = List.of(new ByteRange(0, 1), new ByteRange(99_999, 2));

    assertThatThrownBy(() -> remote.read(outside, 1, (range, data) -> {}))
        .hasMessageContaining("got offset 99999 and length 2");
    assertThatThrownBy(() -> remote.read(List.of(), 0, (range, data) -> {}))
        .hasMessage("connections: expected 1 or more, got 0");
    assertThatThrownBy(() -> new ByteRange(-1, 0)).hasMessageContaining("got -1 and 0");
    remote.read(List.of(), 1, (range, data) -> {});
    assertThat(hub.bodyBytes()).isZero();
  }
}
