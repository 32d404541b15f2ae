package io.matryoshka.sae.lm;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.io.Checksum;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/** What the results of texts that go through a language model depend on, as JSON. */
public final class TextRunSettings {

  private TextRunSettings() {}

  /**
   * Describes a model, how it is run, and texts.
   *
   * @param model the model
   * @param texts the texts
   * @return {@code bfloat16_products}, {@code weights} (as {@link LanguageModel#fingerprint}),
   *     {@code texts} (their number) and {@code tokens_sha256}
   * @throws IOException if a file of the model cannot be read
   */
  public static ObjectNode of(LanguageModel model, List<Tokens> texts) throws IOException {
    ObjectNode json = of(model);
    add(json, texts);
    return json;
  }

  /** Describes a model and how it is run. */
  static ObjectNode of(LanguageModel model) throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("bfloat16_products", model.bfloat16Products());
    json.put("weights", model.fingerprint());
    return json;
  }

  /** Adds the number of texts, and a hash of all ids. */
  static void add(ObjectNode json, List<Tokens> texts) {
    MessageDigest digest = Checksum.sha256();
    texts.forEach(text -> digest.update(text.fingerprintBytes()));
    json.put("texts", texts.size());
    json.put("tokens_sha256", HexFormat.of().formatHex(digest.digest()));
  }
}
