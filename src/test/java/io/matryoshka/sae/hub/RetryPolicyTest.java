package io.matryoshka.sae.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryPolicyTest {

  private static Optional<Duration> retryAfter(String name, String value) {
    return RetryPolicy.retryAfter(HttpHeaders.of(Map.of(name, List.of(value)), (n, v) -> true));
  }

  @ParameterizedTest
  @CsvSource({"1, 1000", "2, 2000", "3, 4000", "4, 8000", "5, 8000", "60, 8000"})
  void delay_doublesUpToTheLimit_withJitterOfAHalf(int failures, long most) {
    for (int i = 0; i < 100; i++) {
      assertThat(RetryPolicy.DEFAULT.delay(failures).toMillis()).isBetween(most / 2, most);
    }
  }

  @Test
  void retryAfter_secondsDateOrRateLimit_isRead() {
    assertThat(retryAfter("Retry-After", " 7 ")).contains(Duration.ofSeconds(7));
    assertThat(retryAfter("RateLimit", "\"api\";r=0;t=53")).contains(Duration.ofSeconds(53));
    ZonedDateTime hourAgo = ZonedDateTime.now(ZoneOffset.UTC).minusHours(1);
    assertThat(retryAfter("Retry-After", hourAgo.format(DateTimeFormatter.RFC_1123_DATE_TIME)))
        .contains(Duration.ZERO);
    assertThat(retryAfter("Retry-After", "soon")).isEmpty();
    assertThat(retryAfter("Retry-After", "-1")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"408, true", "429, true", "500, true", "503, true", "404, false", "416, false"})
  void isTransient_status(int status, boolean expected) {
    assertThat(RetryPolicy.isTransient(status)).isEqualTo(expected);
  }
}
