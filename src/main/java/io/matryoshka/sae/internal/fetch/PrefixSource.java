package io.matryoshka.sae.internal.fetch;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.filetype.JsonObjects;
import io.matryoshka.sae.internal.format.SaeFormat;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What a part of an SAE is made of, beside its weights.
 *
 * @param format the format of the whole SAE; a part is always in that of SAELens
 * @param config the configuration of the whole SAE
 * @param json the same as {@code cfg.json} has it
 */
public record PrefixSource(SaeFormat format, SaeConfig config, ObjectNode json) {

  /**
   * Reads what an SAE of SAELens is.
   *
   * @param configFile its {@code cfg.json}
   * @return the source
   * @throws IOException if the file is malformed or cannot be read
   */
  static PrefixSource ofSaeLens(Path configFile) throws IOException {
    return new PrefixSource(
        SaeFormat.SAELENS,
        SaeConfig.read(configFile),
        JsonObjects.read(configFile, SaeFormatException::new));
  }
}
