package io.matryoshka.sae.labels;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Labels of Neuronpedia: out of the export in the cache, or without one from the API. */
final class NeuronpediaLabels implements Labels {

  private static final Logger LOG = LoggerFactory.getLogger(NeuronpediaLabels.class);
  private static final int MAX_REMEMBERED = 10_000;
  private static final String FILE = "labels.bin";

  private final String id;
  private final Optional<LabelStore> store;
  private final Optional<NeuronpediaApi> api;
  private final Map<Integer, Optional<Label>> asked = new LinkedHashMap<>();
  private boolean failed;

  private NeuronpediaLabels(String id, Optional<LabelStore> store, Optional<NeuronpediaApi> api) {
    this.id = id;
    this.store = store;
    this.api = api;
  }

  static Labels open(String id, LabelOptions options) throws IOException {
    if (!id.matches("[A-Za-z0-9._-]+/[A-Za-z0-9._-]+") || id.contains("..")) {
      throw new IllegalArgumentException("neuronpediaId: expected model/sae, got '" + id + "'");
    }
    Path file =
        options.cacheDir().resolve("labels").resolve("neuronpedia").resolve(id).resolve(FILE);
    LabelHttp http = new LabelHttp(options.timeout());
    boolean known = Files.isRegularFile(file);
    if (!known && options.offline()) {
      throw new LabelException(
          "the labels of "
              + id
              + " are not in the cache, and offline mode asks no server; fetch them once online");
    }
    if (!known) {
      LOG.info("Fetching the labels of {} from Neuronpedia's exports", id);
      known = fetch(id, file, http, options);
    }
    return known
        ? new NeuronpediaLabels(id, Optional.of(LabelStore.open(file)), Optional.empty())
        : new NeuronpediaLabels(
            id, Optional.empty(), Optional.of(new NeuronpediaApi(http, options.api(), id)));
  }

  private static boolean fetch(String id, Path file, LabelHttp http, LabelOptions options)
      throws IOException {
    try {
      return new NeuronpediaExport(http, options.exports()).fetch(id, file);
    } catch (LabelException e) {
      LOG.warn("The export is not used, labels are asked for one by one: {}", e.getMessage());
      return false;
    }
  }

  @Override
  public Optional<Label> find(int latent) {
    try {
      Optional<Label> kept = store.isPresent() ? store.get().find(latent) : Optional.empty();
      return kept.isPresent() || api.isEmpty() ? kept : ask(latent);
    } catch (IOException e) {
      warn(e);
      return Optional.empty();
    }
  }

  /** Asks for each latent once, and for none after a fault: each would wait for its timeout. */
  private synchronized Optional<Label> ask(int latent) throws IOException {
    Optional<Label> known = asked.get(latent);
    if (known != null || failed) {
      return known == null ? Optional.empty() : known;
    }
    Optional<Label> label = api.orElseThrow().find(latent);
    if (asked.size() < MAX_REMEMBERED) {
      asked.put(latent, label);
    }
    return label;
  }

  private synchronized void warn(IOException cause) {
    if (!failed) {
      LOG.warn("Labels are left out: {}", cause.getMessage());
    }
    failed = true;
  }

  @Override
  public String source() {
    return "Neuronpedia, " + id;
  }

  @Override
  public void close() throws IOException {
    if (store.isPresent()) {
      store.get().close();
    }
  }
}
