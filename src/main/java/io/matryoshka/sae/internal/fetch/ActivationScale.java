package io.matryoshka.sae.internal.fetch;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import java.io.IOException;
import java.nio.file.Path;

/** Reads the factor on model activations that SAELens' training keeps beside a checkpoint. */
public final class ActivationScale {

  private static final String FIELD = "scaling_factor";

  private ActivationScale() {}

  /**
   * Reads the file.
   *
   * @param file {@value SaeFiles#SCALER}
   * @return the factor; 1 where it says null, as after folding the factor into the weights
   * @throws SaeFormatException if it holds no positive number
   * @throws IOException if it cannot be read
   */
  public static double read(Path file) throws IOException {
    JsonNode factor = JsonObjects.read(file, SaeFormatException::new).path(FIELD);
    if (factor.isNull()) {
      return 1;
    }
    double value = factor.asDouble(Double.NaN);
    if (!factor.isNumber() || !(value >= Float.MIN_NORMAL && value <= Float.MAX_VALUE)) {
      throw new SaeFormatException(
          "%s: field %s: expected a positive number or null, got %s"
              .formatted(file, FIELD, factor.isMissingNode() ? "nothing" : factor));
    }
    return value;
  }
}
