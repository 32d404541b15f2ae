package io.matryoshka.sae.spark;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.LanguageModel;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Spark must be told so that encoding uses the machines well.
 *
 * <pre>{@code
 * SparkConf conf = SaeSpark.configure(new SparkConf().set("spark.executor.cores", "8"));
 * SparkSession spark = SparkSession.builder().config(conf).getOrCreate();
 * }</pre>
 */
public final class SaeSpark {

  static final String EXECUTOR_CORES = "spark.executor.cores";
  static final String OMP_NUM_THREADS = "spark.executorEnv.OMP_NUM_THREADS";
  static final String MEMORY_OVERHEAD = "spark.executor.memoryOverhead";

  /** libtorch, its buffers, and the batches of some tasks, in MiB. */
  static final long BASE_OVERHEAD_MIB = 2048;

  private static final String OPT_OUT_TRACKING = "spark.executorEnv.OPT_OUT_TRACKING";
  private static final String EXECUTOR_MEMORY = "spark.executor.memory";
  private static final long MIB = 1 << 20;
  private static final long DEFAULT_MEMORY_MIB = 1024;
  private static final long MIN_DEFAULT_OVERHEAD_MIB = 384;
  private static final Pattern SIZE = Pattern.compile("(\\d+)\\s*([bkmgtp]?)b?");

  private static final Logger LOG = LoggerFactory.getLogger(SaeSpark.class);

  private SaeSpark() {}

  /**
   * Sets what is not set yet: the threads that an executor encodes with, one for each of its cores,
   * and room for libtorch and the weights beside the heap. To be called before Spark starts.
   *
   * @param conf the settings of Spark, changed
   * @return {@code conf}
   */
  public static SparkConf configure(SparkConf conf) {
    Objects.requireNonNull(conf, "conf");
    conf.setIfMissing(OPT_OUT_TRACKING, "true");
    conf.setIfMissing(MEMORY_OVERHEAD, 2 * BASE_OVERHEAD_MIB + "m");
    if (conf.contains(EXECUTOR_CORES)) {
      conf.setIfMissing(OMP_NUM_THREADS, conf.get(EXECUTOR_CORES));
    } else if (!conf.contains(OMP_NUM_THREADS) && !isLocal(conf)) {
      LOG.warn(
          "{} is not set, so the threads of an executor are left to Spark, which sets one; set it,"
              + " or {}, to the cores of an executor",
          EXECUTOR_CORES,
          OMP_NUM_THREADS);
    }
    return conf;
  }

  private static boolean isLocal(SparkConf conf) {
    String master = conf.get("spark.master", "");
    return master.equals("local") || master.startsWith("local[");
  }

  /** Warns where a container is stopped as soon as the weights are in memory. */
  static void warnOfMemory(SparkConf conf, SAE sae) {
    warn(conf, "this SAE", bytes(sae));
  }

  /** Warns in the same way of the weights of a language model. */
  static void warnOfMemory(SparkConf conf, LanguageModel model) {
    warn(conf, "this language model", model.weightBytes());
  }

  /** Warns in the same way where an executor has both open. */
  static void warnOfMemory(SparkConf conf, LanguageModel model, SAE sae) {
    warn(conf, "this language model with this SAE", model.weightBytes() + bytes(sae));
  }

  private static void warn(SparkConf conf, String what, long bytes) {
    String master = conf.get("spark.master", "");
    if (master.startsWith("yarn") || master.startsWith("k8s")) {
      memoryWarning(conf, what, bytes).ifPresent(LOG::warn);
    }
  }

  /** Encoder, decoder, and the encoder once more as rows with their int8 codes. */
  private static long bytes(SAE sae) {
    long encoder = (long) sae.dIn() * sae.dSae();
    long decoder = (long) sae.dOut() * sae.dSae();
    return encoder * 9 + decoder * 4;
  }

  static Optional<String> memoryWarning(SparkConf conf, String what, long weightBytes) {
    long needed = BASE_OVERHEAD_MIB + (weightBytes + MIB - 1) / MIB;
    long memory = mib(conf.get(EXECUTOR_MEMORY, "1g")).orElse(DEFAULT_MEMORY_MIB);
    long byDefault = Math.max(MIN_DEFAULT_OVERHEAD_MIB, memory / 10);
    long given = mib(conf.get(MEMORY_OVERHEAD, byDefault + "m")).orElse(byDefault);
    return given >= needed
        ? Optional.empty()
        : Optional.of(
            ("executors have %d MiB beside the heap, but libtorch and %s take about %d MiB,"
                    + " so their containers may be stopped; set %s=%dm")
                .formatted(given, what, needed, MEMORY_OVERHEAD, needed));
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
