package io.matryoshka.sae.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every file of the conformance suite gets the verdict and the content of the reference. */
class ConformanceTest {

  /**
   * The header passes the reference's core; only its Python binding has no type to hand the tensor
   * out as.
   */
  private static final Set<String> VALID_FOR_THE_RUST_CORE = Set.of("dtype-f6-e2m3.safetensors");

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("validCases")
  void open_validFile_hasTheContentOfTheReference(String file, String about, JsonNode expected)
      throws Exception {
    try (SafetensorsFile actual = SafetensorsFile.open(folder().resolve(file))) {
      assertThat(actual.metadata()).isEqualTo(strings(expected.get("metadata")));
      assertThat(new TreeSet<>(actual.names())).isEqualTo(names(expected.get("tensors")));
      for (JsonNode tensor : expected.get("tensors")) {
        assertTensor(actual, tensor);
      }
    }
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("invalidCases")
  void open_invalidFile_isRefused(String file, String about) throws Exception {
    Path path = folder().resolve(file);

    assertThatThrownBy(() -> SafetensorsFile.open(path).close())
        .isInstanceOf(SafetensorsException.class)
        .hasMessageStartingWith(path + ": ");
  }

  @Test
  void open_sixBitDtype_isAcceptedAsTheRustCoreDoes() throws Exception {
    try (SafetensorsFile file =
        SafetensorsFile.open(folder().resolve("dtype-f6-e2m3.safetensors"))) {
      TensorInfo info = file.tensors().get(0);

      assertThat(info.dtype()).isEqualTo(Dtype.F6_E2M3);
      assertThat(info.shape()).containsExactly(4);
      assertThat(file.map(info.name()).remaining()).isEqualTo(3);
    }
  }

  @Test
  void suite_isCompleteAndEveryCaseRuns() throws Exception {
    JsonNode suite = suite();
    Set<String> files;
    try (Stream<Path> listing = Files.list(folder())) {
      files = new TreeSet<>(listing.map(p -> p.getFileName().toString()).toList());
    }
    files.removeAll(Set.of("README.md", "cases.json"));
    Set<String> cases = new TreeSet<>();
    suite.get("cases").forEach(c -> cases.add(c.get("file").asText()));

    assertThat(cases).isEqualTo(files).hasSize(198);
    assertThat(validCases()).hasSize(70);
    assertThat(invalidCases()).hasSize(128 - VALID_FOR_THE_RUST_CORE.size());
  }

  private static void assertTensor(SafetensorsFile file, JsonNode expected) throws Exception {
    String name = expected.get("name").asText();
    TensorInfo info = file.info(name);
    assertThat(info.dtype().name()).isEqualTo(expected.get("dtype").asText());
    List<Long> shape = new ArrayList<>();
    expected.get("shape").forEach(d -> shape.add(d.asLong()));
    assertThat(info.shape()).containsExactly(shape.toArray(Long[]::new));
    assertThat(info.byteCount()).isEqualTo(expected.get("nbytes").asLong());

    ByteBuffer mapped = file.map(name);
    assertThat(mapped.isDirect()).isTrue();
    assertThat(sha256(mapped)).isEqualTo(expected.get("sha256").asText());
    ByteBuffer copy = ByteBuffer.allocate((int) info.byteCount());
    file.read(name, 0, copy);
    assertThat(sha256(copy.flip())).isEqualTo(expected.get("sha256").asText());

    JsonNode values = expected.get("values");
    if (values != null) {
      assertThat(actualValues(file, info)).isEqualTo(expectedValues(info.dtype(), values));
    }
  }

  /** Floating point by the bits of the double, so that zeros keep their sign; NaN is one value. */
  private static List<Long> actualValues(SafetensorsFile file, TensorInfo info) throws IOException {
    List<Long> values = new ArrayList<>();
    if (Widening.fitsLong(info.dtype())) {
      for (long value : file.readLongs(info.name())) {
        values.add(value);
      }
    } else {
      for (double value : file.readDoubles(info.name())) {
        values.add(Double.doubleToLongBits(value));
      }
    }
    if (Widening.fitsFloat(info.dtype()) && !Widening.fitsLong(info.dtype())) {
      List<Long> floats = new ArrayList<>();
      for (float value : file.readFloats(info.name())) {
        floats.add(Double.doubleToLongBits(value));
      }
      assertThat(floats).isEqualTo(values);
    }
    return values;
  }

  private static List<Long> expectedValues(Dtype dtype, JsonNode values) {
    List<Long> expected = new ArrayList<>();
    for (JsonNode value : values) {
      if (value.isBoolean()) {
        expected.add(value.asBoolean() ? 1L : 0L);
      } else if (!Widening.fitsLong(dtype)) {
        expected.add(Double.doubleToLongBits(Double.parseDouble(value.asText())));
      } else if (dtype == Dtype.U64) {
        expected.add(Long.parseUnsignedLong(value.asText()));
      } else {
        expected.add(Long.parseLong(value.asText()));
      }
    }
    return expected;
  }

  private static Map<String, String> strings(JsonNode object) {
    Map<String, String> map = new TreeMap<>();
    object.properties().forEach(e -> map.put(e.getKey(), e.getValue().asText()));
    return map;
  }

  private static Set<String> names(JsonNode tensors) {
    Set<String> names = new TreeSet<>();
    tensors.forEach(t -> names.add(t.get("name").asText()));
    return names;
  }

  private static String sha256(ByteBuffer bytes) throws NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    digest.update(bytes);
    return HexFormat.of().formatHex(digest.digest());
  }

  static Stream<Arguments> validCases() throws Exception {
    return cases(c -> c.get("verdict").asText().equals("valid"));
  }

  static Stream<Arguments> invalidCases() throws Exception {
    return cases(
        c ->
            c.get("verdict").asText().equals("invalid")
                && !VALID_FOR_THE_RUST_CORE.contains(c.get("file").asText()));
  }

  private static Stream<Arguments> cases(Predicate<JsonNode> wanted) throws Exception {
    return StreamSupport.stream(suite().get("cases").spliterator(), false)
        .filter(wanted)
        .map(c -> Arguments.of(c.get("file").asText(), c.get("description").asText(), c));
  }

  private static JsonNode suite() throws Exception {
    return new ObjectMapper().readTree(folder().resolve("cases.json").toFile());
  }

  private static Path folder() throws URISyntaxException {
    return Path.of(ConformanceTest.class.getResource("/safetensors-conformance").toURI());
  }
}
