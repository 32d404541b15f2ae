package example;

import io.matryoshka.sae.spark.SaeRef;
import io.matryoshka.sae.spark.SaeSpark;
import io.matryoshka.sae.spark.SparkRuns;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.EncodeOptions;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Encodes a folder of activations, and asks which latents fire: INPUT-FOLDER OUTPUT-FOLDER. */
public final class OnSpark {

  public static void main(String[] args) throws Exception {
    SparkConf conf =
        SaeSpark.configure(new SparkConf().setMaster("local[2]").setAppName("example"))
            .set("spark.ui.enabled", "false");
    try (SparkSession spark = SparkSession.builder().config(conf).getOrCreate()) {
      SparkRuns runs =
          SparkRuns.on(
              spark, SaeRef.of("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state"));
      ActivationSource source = runs.open(List.of(args[0]));
      runs.encodeToParquet(source, args[1], EncodeOptions.defaults().rowsPerShard(512));

      spark.read().parquet(args[1]).createTempView("encoded");
      List<Row> latents =
          spark
              .sql(
                  "select latent, count(*) tokens from (select explode(latents) latent from encoded)"
                      + " group by latent order by tokens desc, latent limit 3")
              .collectAsList();
      for (Row row : latents) {
        System.out.printf(
            "latent %d fires on %d of %d tokens%n", row.getInt(0), row.getLong(1), source.rows());
      }
    }
  }
}
