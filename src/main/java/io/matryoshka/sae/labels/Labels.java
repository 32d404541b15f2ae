package io.matryoshka.sae.labels;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The labels of the latents of one SAE. May be used by many threads at the same time. */
public interface Labels extends Closeable {

  /**
   * Finds the label of a latent. Never fails: where a label cannot be fetched there is none.
   *
   * @param latent the index of the latent, counted from 0
   * @return its label, or empty if none is known
   */
  Optional<Label> find(int latent);

  /**
   * Says where the labels come from.
   *
   * @return a file, or the name of the SAE on Neuronpedia
   */
  String source();

  @Override
  void close() throws IOException;

  /**
   * Returns labels that know nothing.
   *
   * @return labels without any
   */
  static Labels none() {
    return new NoLabels();
  }

  /**
   * Reads a file of your own: CSV with a column {@code latent} and a column {@code label}, or JSON
   * as {@code {"7": "text"}} or {@code [{"latent": 7, "label": "text"}]}.
   *
   * @param file a file that ends with {@code .csv} or {@code .json}
   * @return its labels
   * @throws LabelException if the file is malformed
   * @throws IOException if it cannot be read
   */
  static Labels load(Path file) throws IOException {
    return LabelFileReader.read(file);
  }

  /**
   * Gets the labels of an SAE from Neuronpedia. All of them are fetched once from its exports and
   * kept. Where there is no export, or it cannot be read, each label that is looked up comes from
   * its API.
   *
   * @param neuronpediaId the name there, as {@code model/sae}
   * @param options the cache, and how to fetch
   * @return the labels, to be closed by the caller
   * @throws LabelException if nothing is kept and the options say offline
   * @throws IOException if the cache cannot be read or written
   */
  static Labels neuronpedia(String neuronpediaId, LabelOptions options) throws IOException {
    return NeuronpediaLabels.open(neuronpediaId, options);
  }
}
