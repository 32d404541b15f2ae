package io.matryoshka.sae.internal.spark.host;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.LanguageModel;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks whether executors have room for weights beside their heap. */
public final class MemoryCheck {

  private static final String EXECUTOR_MEMORY = "spark.executor.memory";
  private static final long MIB = 1 << 20;
  private static final long DEFAULT_MEMORY_MIB = 1024;
  private static final long MIN_DEFAULT_OVERHEAD_MIB = 384;
  private static final Pattern SIZE = Pattern.compile("(\\d+)\\s*([bkmgtp]?)b?");

  private static final Logger LOG = LoggerFactory.getLogger(MemoryCheck.class);

  private MemoryCheck() {}

  /** Warns where a container is stopped as soon as the weights are in memory. */
  public static void warn(SparkConf conf, SAE sae) {
    warn(conf, "this SAE", bytes(sae));
  }

  /** Warns in the same way of the weights of a language model. */
  public static void warn(SparkConf conf, LanguageModel model) {
    warn(conf, "this language model", model.weightBytes());
  }

  /** Warns in the same way where an executor has both open. */
  public static void warn(SparkConf conf, LanguageModel model, SAE sae) {
    warn(conf, "this language model with this SAE", model.weightBytes() + bytes(sae));
  }

  private static void warn(SparkConf conf, String what, long bytes) {
    String master = conf.get("spark.master", "");
    if (master.startsWith("yarn") || master.startsWith("k8s")) {
      warning(conf, what, bytes).ifPresent(LOG::warn);
    }
  }

  /** Encoder, decoder, and the encoder once more as rows with their int8 codes. */
  private static long bytes(SAE sae) {
    long encoder = (long) sae.dIn() * sae.dSae();
    long decoder = (long) sae.dOut() * sae.dSae();
    return encoder * 9 + decoder * 4;
  }

  static Optional<String> warning(SparkConf conf, String what, long weightBytes) {
    long needed = SparkSettings.BASE_OVERHEAD_MIB + (weightBytes + MIB - 1) / MIB;
    long memory = mib(conf.get(EXECUTOR_MEMORY, "1g")).orElse(DEFAULT_MEMORY_MIB);
    long byDefault = Math.max(MIN_DEFAULT_OVERHEAD_MIB, memory / 10);
    long given = mib(conf.get(SparkSettings.MEMORY_OVERHEAD, byDefault + "m")).orElse(byDefault);
    return given >= needed
        ? Optional.empty()
        : Optional.of(
            ("executors have %d MiB beside the heap, but libtorch and %s take about %d MiB,"
                    + " so their containers may be stopped; set %s=%dm")
                .formatted(given, what, needed, SparkSettings.MEMORY_OVERHEAD, needed));
  }

  /** Reads a size as Spark writes it; a number alone is MiB. */
  private static OptionalLong mib(String text) {
    Matcher size = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (!size.matches()) {
      return OptionalLong.empty();
    }
    long number = Long.parseLong(size.group(1));
    return OptionalLong.of(
        switch (size.group(2)) {
          case "b" -> number / MIB;
          case "k" -> number >> 10;
          case "g" -> number << 10;
          case "t" -> number << 20;
          case "p" -> number << 30;
          default -> number;
        });
  }
}
