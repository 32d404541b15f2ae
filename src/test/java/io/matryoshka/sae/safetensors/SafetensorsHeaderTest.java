package io.matryoshka.sae.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsHeaderTest {

  private static final String SOURCE = "model.safetensors";

  // ---- parse: what a valid header gives -------------------------------------------------------

  @Test
  void parse_twoTensors_areInBodyOrderWithMetadata() throws Exception {
    SafetensorsHeader header =
        parse(
            """
            {"b":{"dtype":"U8","shape":[2],"data_offsets":[8,10]},
             "a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
             "__metadata__":{"format":"pt"}}
            """,
            10);

    assertThat(header.names()).containsExactly("a", "b");
    assertThat(header.tensors())
        .containsExactly(
            new TensorInfo("a", Dtype.F32, new long[] {1, 2}, 0, 8),
            new TensorInfo("b", Dtype.U8, new long[] {2}, 8, 10));
    assertThat(header.metadata()).isEqualTo(Map.of("format", "pt"));
    assertThat(header.find("c")).isEmpty();
    assertThat(header.bodyBytes()).isEqualTo(10);
  }

  @Test
  void parse_buffer_leavesPositionAndKnowsTheDataOffset() throws Exception {
    ByteBuffer bytes = ByteBuffer.wrap("xx{}      ".getBytes(StandardCharsets.UTF_8)).position(2);

    SafetensorsHeader header = SafetensorsHeader.parse(bytes, 0, SOURCE);

    assertThat(header.dataOffset()).isEqualTo(16);
    assertThat(bytes.position()).isEqualTo(2);
  }

  @Test
  void parse_dimensionBeyondLongInEmptyTensor_isAcceptedAsUnsigned() throws Exception {
    SafetensorsHeader header = parse(tensor("F32", "[18446744073709551615,0]", "[0,0]"), 0);

    assertThat(header.info("t").shape()).containsExactly(-1, 0);
    assertThat(header.info("t").elementCount()).isZero();
    assertThat(header.info("t")).hasToString("\"t\" F32[18446744073709551615, 0] at [0, 0]");
  }

  @Test
  void parse_longNamesAndNumbers_areNotLimited() {
    String name = "n".repeat(200_000);
    String number = "0." + "1".repeat(200_000);
    assertThatCode(
            () ->
                parse(
                    "{\""
                        + name
                        + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],"
                        + "\"extra\":["
                        + number
                        + "]}}",
                    0))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e308", "1e-400", "-0", "-9223372036854775809", "0e999999", "[]", "{}"})
  void parse_unknownKeyWithOrdinaryValue_isSkipped(String value) {
    assertThatCode(() -> parse(withExtra(value), 0)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"125,true", "126,false"})
  void parse_nestingInUnknownKey_isRefusedFromLevel128On(int levels, boolean valid) {
    // The header and the description are two levels more.
    String header = withExtra("[".repeat(levels) + "]".repeat(levels));
    if (valid) {
      assertThatCode(() -> parse(header, 0)).doesNotThrowAnyException();
    } else {
      assertRefused(header, 0, "lie 128 deep");
    }
  }

  // ---- parse: what is refused -----------------------------------------------------------------

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "F32 | [2] | [4,12]   | data_offsets [4, 12] must start at byte 0 of the body",
        "F32 | [2] | [8,0]    | must start at byte 0",
        "F32 | [2] | [0,12]   | shape [2] of F32 takes 8 bytes, but data_offsets [0, 12] span 12",
        "F32 | [2] | [0,8]    | the tensors take 8 bytes, but 3 bytes follow the header",
        "F4  | [3] | [0,2]    | shape [3] of F4 takes 12 bits, which is not a whole number",
        "F12 | [3] | [0,2]    | unknown dtype \"F12\"; known: [BOOL, F4, F6_E2M3",
        "F32 | [-2]| [0,8]    | shape must hold integers from 0 to 2^64 - 1, got -2",
        "F32 | 2   | [0,8]    | shape must be an array of integers, got 2",
        "F32 | [2] | [0]      | data_offsets must hold integers",
        "F32 | [2] | [0,8,9]  | data_offsets must have two values",
        "F32 | [9223372036854775808,2] | [0,0] | [9223372036854775808, 2] overflows 64 bits",
        "U8  | [18446744073709551615] | [0,18446744073709551615] | overflows 64 bits",
        "U8  | [18446744073709551616] | [0,1] | got 18446744073709551616",
      })
  void parse_badDescription_isRefusedWithTensorAndValues(
      String dtype, String shape, String offsets, String message) {
    assertRefused(tensor(dtype, shape, offsets), 3, message);
  }

  @Test
  void parse_badTensor_isNamed() {
    assertRefused(tensor("F32", "[2]", "[1,9]"), 9, "tensor \"t\": data_offsets");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1e309",
        "-1e400",
        "NaN",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "'a'",
        "\"\\ud800\"",
        "{\"\\udc00\":1}",
        "[\"\\ud800\\u0041\"]",
        "\"\\x\"",
        "\"\t\"",
        "[1,]",
        "{,}",
        "nul",
        "/**/1"
      })
  void parse_unknownKeyWithMalformedValue_isRefused(String value) {
    assertRefused(withExtra(value), 0, SOURCE + ": ");
  }

  @Test
  void parse_hugeIntegerInUnknownKey_isRefusedAsOutOfRange() {
    assertRefused(withExtra("9".repeat(400)), 0, "number out of range: 999");
  }

  @Test
  void parse_missingAndDuplicateKeys_areNamed() {
    assertRefused("{\"t\":{\"dtype\":\"F32\",\"shape\":[]}}", 4, "key data_offsets is missing");
    assertRefused("{\"t\":{\"shape\":[],\"shape\":[]}}", 4, "tensor \"t\": duplicate key shape");
    assertRefused("{\"__metadata__\":null,\"__metadata__\":{}}", 0, "duplicate key __metadata__");
  }

  @Test
  void parse_earlierOfEqualKeysMalformed_isRefusedAlthoughTheLastWins() {
    String good = tensor("U8", "[0]", "[0,0]");
    assertRefused("{\"t\":7," + good.substring(1), 0, "description must be an object, got 7");
  }

  @Test
  void parse_truncatedUtf8AtTheEnd_isRefused() {
    byte[] bytes = {'{', '}', (byte) 0xe2, (byte) 0x82};
    assertThatThrownBy(() -> SafetensorsHeader.parse(bytes, 0, SOURCE))
        .isInstanceOf(SafetensorsException.class);
  }

  @Test
  void parse_negativeBody_isTheCallersMistake() {
    assertThatThrownBy(() -> parse("{}", -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("bodyBytes must not be negative, got -1");
  }

  @Test
  void info_unknownName_listsTheNames() throws Exception {
    SafetensorsHeader header = parse(tensor("U8", "[0]", "[0,0]"), 0);

    assertThatThrownBy(() -> header.info("W_enc"))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage("model.safetensors: no tensor \"W_enc\"; the file has 1: [t]");
  }

  // ---- headerLength ---------------------------------------------------------------------------

  @Test
  void headerLength_littleEndian_isRead() throws Exception {
    ByteBuffer start = ByteBuffer.wrap(new byte[] {0, 1, 0, 0, 0, 0, 0, 0});

    assertThat(SafetensorsHeader.headerLength(start, SOURCE)).isEqualTo(256);
    assertThat(start.position()).isZero();
  }

  @Test
  void headerLength_unsignedHuge_isRefused() {
    byte[] start = {-1, -1, -1, -1, -1, -1, -1, -1};
    assertThatThrownBy(() -> SafetensorsHeader.headerLength(ByteBuffer.wrap(start), SOURCE))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("header length is 18446744073709551615 bytes, at most 100000000");
  }

  @Test
  void headerLength_tooFewBytes_isRefused() {
    assertThatThrownBy(() -> SafetensorsHeader.headerLength(ByteBuffer.allocate(7), SOURCE))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("starts with 8 bytes of length, got 7");
  }

  // ---- TensorInfo -----------------------------------------------------------------------------

  @Test
  void tensorInfo_shape_isCopiedInAndOut() {
    long[] shape = {2, 3};
    TensorInfo info = new TensorInfo("t", Dtype.F32, shape, 0, 24);
    shape[0] = 9;
    info.shape()[1] = 9;

    assertThat(info.shape()).containsExactly(2, 3);
    assertThat(info.elementCount()).isEqualTo(6);
    assertThat(info.hashCode())
        .isEqualTo(new TensorInfo("t", Dtype.F32, new long[] {2, 3}, 0, 24).hashCode());
  }

  @Test
  void tensorInfo_inconsistent_isRefused() {
    assertThatThrownBy(() -> new TensorInfo("t", Dtype.F32, new long[] {2}, 0, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("shape [2] of F32 takes 8 bytes, but its offsets [0, 4] span 4");
    assertThatThrownBy(() -> new TensorInfo("t", Dtype.F32, new long[] {2}, 8, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("offsets must satisfy 0 <= begin <= end, got 8, 0");
  }

  private static String tensor(String dtype, String shape, String offsets) {
    return "{\"t\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}"
        .formatted(dtype, shape, offsets);
  }

  private static String withExtra(String value) {
    return "{\"t\":{\"dtype\":\"U8\",\"x\":" + value + ",\"shape\":[0],\"data_offsets\":[0,0]}}";
  }

  private static SafetensorsHeader parse(String header, long bodyBytes) throws Exception {
    return SafetensorsHeader.parse(header.getBytes(StandardCharsets.UTF_8), bodyBytes, SOURCE);
  }

  private static void assertRefused(String header, long bodyBytes, String message) {
    assertThatThrownBy(() -> parse(header, bodyBytes))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageStartingWith(SOURCE + ": ")
        .hasMessageContaining(message);
  }
}
