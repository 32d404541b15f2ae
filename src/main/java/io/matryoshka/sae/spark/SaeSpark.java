package io.matryoshka.sae.spark;

import io.matryoshka.sae.internal.spark.host.SparkSettings;
import java.util.Objects;
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

  private static final String OPT_OUT_TRACKING = "spark.executorEnv.OPT_OUT_TRACKING";

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
    conf.setIfMissing(SparkSettings.MEMORY_OVERHEAD, 2 * SparkSettings.BASE_OVERHEAD_MIB + "m");
    if (conf.contains(SparkSettings.EXECUTOR_CORES)) {
      conf.setIfMissing(SparkSettings.OMP_NUM_THREADS, conf.get(SparkSettings.EXECUTOR_CORES));
    } else if (!conf.contains(SparkSettings.OMP_NUM_THREADS) && !isLocal(conf)) {
      LOG.warn(
          "{} is not set, so the threads of an executor are left to Spark, which sets one; set it,"
              + " or {}, to the cores of an executor",
          SparkSettings.EXECUTOR_CORES,
          SparkSettings.OMP_NUM_THREADS);
    }
    return conf;
  }

  private static boolean isLocal(SparkConf conf) {
    String master = conf.get("spark.master", "");
    return master.equals("local") || master.startsWith("local[");
  }
}
