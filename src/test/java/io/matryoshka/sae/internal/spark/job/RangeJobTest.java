package io.matryoshka.sae.internal.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How rows are cut into ranges. */
@Tag("spark")
class RangeJobTest {

  @ParameterizedTest
  @CsvSource({
    "5000, 64, 16, 128", // 40 ranges, which are joined on two levels.
    "65536, 2048, 4, 6144",
    "1, 1024, 100, 1024",
    "1000000000, 2048, 100, 524288" // What is kept of a range may be large: no more than this.
  })
  void rangeRows_areWholeBatches_enoughForAllCores(
      long rows, int batchRows, int slots, long expected) {
    assertThat(RangeJob.rangeRows(rows, batchRows, slots)).isEqualTo(expected);
  }
}
