package io.matryoshka.sae.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.MutatedFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/**
 * Damaged files give a correct tensor or a {@link SafetensorsException}, and nothing else: any
 * other exception, an error of the Java machine included, fails the property.
 */
class MutationTest {

  private static final String HEADER =
      """
      {"__metadata__":{"format":"pt"},\
      "W_dec":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
      "b":{"dtype":"BF16","shape":[3],"data_offsets":[24,30]},\
      "e":{"dtype":"I64","shape":[0,5],"data_offsets":[30,30]}}""";
  private static final byte[] BODY = new byte[30];
  private static final byte[] FILE = assemble(HEADER, BODY);

  private MutatedFile mutated;

  @BeforeProperty
  void createFile() throws IOException {
    mutated = MutatedFile.create(".safetensors");
  }

  @AfterProperty
  void deleteFile() {
    mutated.delete();
  }

  @Property
  void flippedBytes(@ForAll("edits") List<Edit> edits) throws IOException {
    byte[] bytes = FILE.clone();
    for (Edit edit : edits) {
      bytes[edit.at % bytes.length] = edit.value;
    }
    assertTensorsOrRefusal(bytes);
  }

  @Property
  void truncatedAnywhere_isRefused(@ForAll("positions") int length) throws IOException {
    byte[] bytes = Arrays.copyOf(FILE, length % FILE.length);

    assertThat(assertTensorsOrRefusal(bytes)).isFalse();
  }

  @Property
  void insertedBytes(@ForAll("edits") List<Edit> edits) throws IOException {
    byte[] bytes = FILE;
    for (Edit edit : edits) {
      int at = edit.at % (bytes.length + 1);
      byte[] longer = new byte[bytes.length + 1];
      System.arraycopy(bytes, 0, longer, 0, at);
      longer[at] = edit.value;
      System.arraycopy(bytes, at, longer, at + 1, bytes.length - at);
      bytes = longer;
    }
    assertTensorsOrRefusal(bytes);
  }

  @Property
  void editedHeader(
      @ForAll("positions") int from, @ForAll("lengths") int length, @ForAll("tokens") String token)
      throws IOException {
    int start = from % HEADER.length();
    int end = Math.min(HEADER.length(), start + length);
    String header = HEADER.substring(0, start) + token + HEADER.substring(end);

    assertTensorsOrRefusal(assemble(header, BODY));
  }

  @Property
  void replacedNumber(@ForAll("positions") int which, @ForAll long value) throws IOException {
    String[] numbers = {"24", "30", "2", "3", "5", "0"};
    String number = numbers[which % numbers.length];
    String header = HEADER.replaceFirst("(?<=[\\[,])" + number, Long.toUnsignedString(value));

    assertTensorsOrRefusal(assemble(header, BODY));
  }

  @Property
  void anyBytes(@ForAll byte[] bytes) throws IOException {
    assertTensorsOrRefusal(bytes);
  }

  @Property
  void anyHeaderText(@ForAll String text) throws IOException {
    assertTensorsOrRefusal(assemble(text, new byte[0]));
  }

  @Property
  void anyHeaderLength(@ForAll long length) throws IOException {
    byte[] bytes = FILE.clone();
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);

    assertTensorsOrRefusal(bytes);
  }

  @Provide
  Arbitrary<List<Edit>> edits() {
    Arbitrary<Byte> json =
        Arbitraries.of("{}[]\":,0123456789eE.-+\\u nt".chars().boxed().toList())
            .map(Integer::byteValue);
    return Combinators.combine(positions(), Arbitraries.oneOf(Arbitraries.bytes(), json))
        .as(Edit::new)
        .list()
        .ofMinSize(1)
        .ofMaxSize(4);
  }

  @Provide
  Arbitrary<Integer> positions() {
    return Arbitraries.integers().between(0, 10_000);
  }

  @Provide
  Arbitrary<Integer> lengths() {
    return Arbitraries.integers().between(0, 40);
  }

  @Provide
  Arbitrary<String> tokens() {
    return Arbitraries.of(
        "",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "null",
        "true",
        "-1",
        "0",
        "1e400",
        "2.0",
        "\\ud800",
        "18446744073709551615",
        "\"F64\"",
        "\"F4\"",
        "\"dtype\":\"U8\",",
        "\"__metadata__\":{},",
        "[".repeat(10_000),
        "{\"a\":".repeat(10_000),
        "9".repeat(10_000),
        "\u0000",
        "é");
  }

  /** Opens the bytes as a file and reads all of it; tells whether it was valid. */
  private boolean assertTensorsOrRefusal(byte[] bytes) throws IOException {
    Path path = mutated.write(bytes);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      long next = 0;
      for (TensorInfo info : file.tensors()) {
        assertThat(info.begin()).isEqualTo(next);
        next = info.end();
        int start = Math.toIntExact(file.dataOffset() + info.begin());
        byte[] expected = Arrays.copyOfRange(bytes, start, start + (int) info.byteCount());
        assertThat(file.map(info.name())).isEqualTo(ByteBuffer.wrap(expected));
        if (Widening.fitsFloat(info.dtype())) {
          assertThat(file.readFloats(info.name())).hasSize((int) info.elementCount());
        }
      }
      assertThat(file.dataOffset() + next).isEqualTo(bytes.length);
      return true;
    } catch (SafetensorsException e) {
      assertThat(e).hasMessageStartingWith(path + ": ");
      return false;
    }
  }

  private static byte[] assemble(String header, byte[] body) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + body.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(body)
        .array();
  }

  /** A byte to put at a position, which wraps around. */
  record Edit(int at, byte value) {}
}
