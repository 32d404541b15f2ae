package io.matryoshka.sae.lm;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;

/** What texts and ids of users have in common, however they are written. */
final class InputFiles {

  /** Takes one value and no key twice: what came after would be left out in silence. */
  static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private InputFiles() {}

  /** Removes what some editors put before a text in UTF-8. */
  static String withoutByteOrderMark(String text) {
    return text.startsWith(BYTE_ORDER_MARK) ? text.substring(BYTE_ORDER_MARK.length()) : text;
  }

  /** Refuses a folder, which the system would only call one without its name. */
  static void requireFile(Path path) {
    if (Files.isDirectory(path)) {
      throw new IllegalArgumentException(path + ": expected a file, and this is a folder");
    }
  }
}
