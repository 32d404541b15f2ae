package io.matryoshka.sae.internal.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumbersTest {

  @ParameterizedTest
  @CsvSource({
    "0,0",
    "0.5,0.5",
    "0.123456,0.1235",
    "-2.5,−2.5",
    "32768,32770",
    "12000000,1.2e7",
    "0.00001,1e-5",
    "-0.0000123456,−1.235e-5",
    "99999.6,100000",
    "NaN,–",
    "Infinity,∞"
  })
  void compact_value_hasFourDigits(double value, String text) {
    assertThat(Numbers.compact(value)).isEqualTo(text);
  }
}
