package io.matryoshka.sae.internal.spark.ml;

/** What happens to a row that cannot be encoded. */
public enum InvalidRows {
  /** It fails the task, with a message that says what is wrong. */
  ERROR,
  /** It is left out. */
  SKIP;

  public String key() {
    return Keys.of(this);
  }

  public static InvalidRows of(String key) {
    return Keys.find(InvalidRows.class, "handleInvalid", key);
  }
}
