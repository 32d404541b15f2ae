package io.matryoshka.sae.spark.support;

import java.nio.file.Path;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/**
 * One Spark in the JVM of the tests, with two tasks at a time, each tried four times as on a
 * cluster.
 */
public final class LocalSpark {

  private static final class Session {
    static final SparkSession SPARK =
        SparkSession.builder().master("local[2,4]").config(conf()).getOrCreate();
  }

  private LocalSpark() {}

  public static SparkSession session() {
    return Session.SPARK;
  }

  /** What keeps Spark quiet, quick and on this machine, with any master. */
  public static SparkConf conf() {
    return new SparkConf(false)
        .setAppName("tests")
        .set("spark.ui.enabled", "false")
        .set("spark.driver.host", "127.0.0.1")
        .set("spark.driver.bindAddress", "127.0.0.1")
        .set(
            "spark.hadoop." + PublishingFileSystem.IMPLEMENTATION,
            PublishingFileSystem.class.getName())
        .set("spark.sql.shuffle.partitions", "2")
        // As of a cluster with 16 cores, so that few rows make many ranges.
        .set("spark.default.parallelism", "16")
        .set("spark.sql.warehouse.dir", Path.of("target/warehouse").toAbsolutePath().toString());
  }
}
