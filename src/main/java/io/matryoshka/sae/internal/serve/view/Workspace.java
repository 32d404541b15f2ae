package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that is open, and every view of it. The caller sees to it that one view is computed at
 * a time, by {@link #passes()}; those that say so need no turn.
 */
public final class Workspace implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Workspace.class);

  /** How long closing waits for a running computation. */
  private static final long SECONDS_TO_END = 3;

  private final String version;
  private final List<OpenSae> saes;
  private final Limits limits;
  private final String example;
  private final Passes passes = new Passes();
  private final Cancellation jobs = new Cancellation();

  /**
   * Takes what is open, and closes it in the end.
   *
   * @param version of the program
   * @param saes at least one, with different keys
   * @param limits what one call may ask for
   * @param example a text to begin with
   */
  public Workspace(String version, List<OpenSae> saes, Limits limits, String example) {
    this.version = Objects.requireNonNull(version, "version");
    this.saes = List.copyOf(saes);
    this.limits = Objects.requireNonNull(limits, "limits");
    this.example = Objects.requireNonNull(example, "example");
  }

  /**
   * Returns the limits.
   *
   * @return what one call may ask for
   */
  public Limits limits() {
    return limits;
  }

  /**
   * Returns what gives each computation its turn.
   *
   * @return the one of this workspace
   */
  public Passes passes() {
    return passes;
  }

  OpenSae find(String key) {
    return saes.stream()
        .filter(open -> open.name().key().equals(key))
        .findFirst()
        .orElseThrow(
            () ->
                new ViewException(
                    ViewException.Kind.NOT_FOUND,
                    "the SAE '%.100s' is not open here; open are %s"
                        .formatted(key, saes.stream().map(open -> open.name().key()).toList())));
  }

  /**
   * Says what is open; needs no turn.
   *
   * @param query the parameters of {@code /api/state}: none
   * @return its answer
   */
  public ObjectNode state(Query query) {
    query.requireNoOther();
    ObjectNode node = Json.object().put("version", version);
    node.set("limits", limits.json());
    node.put("example", example);
    ArrayNode array = node.putArray("saes");
    saes.forEach(open -> array.add(open.json(limits)));
    return node;
  }

  /**
   * Lists latents; needs no turn.
   *
   * @param query the parameters of {@code /api/search}
   * @return its answer
   */
  public ObjectNode search(Query query) {
    return SearchView.of(find(query.requiredText("sae")), query);
  }

  /**
   * Shows a latent.
   *
   * @param query the parameters of {@code /api/latent}
   * @return its answer
   * @throws IOException if the vocabulary cannot be read
   */
  public ObjectNode latent(Query query) throws IOException {
    OpenSae open = find(query.requiredText("sae"));
    int latent = query.number("latent", 0, Integer.MAX_VALUE);
    query.requireNoOther();
    return LatentView.of(open, latent);
  }

  /** Shows the latent that the body of an export names. */
  ObjectNode latent(Fields fields) throws IOException {
    OpenSae open = find(fields.text("sae"));
    int latent = fields.number("latent", 0, Integer.MAX_VALUE);
    fields.requireNoOther();
    return LatentView.of(open, latent);
  }

  /**
   * Reads a text.
   *
   * @param fields the body of {@code /api/latents}
   * @return its answer
   * @throws IOException if the vocabulary cannot be read
   */
  public ObjectNode latents(Fields fields) throws IOException {
    OpenSae open = find(fields.text("sae"));
    String text = fields.text("text");
    fields.requireNoOther();
    return TextView.of(open, text, limits);
  }

  /**
   * Measures what each prefix width costs the model.
   *
   * @param fields the body of {@code /api/losses}
   * @return its answer
   * @throws IOException if the vocabulary cannot be read
   */
  public ObjectNode losses(Fields fields) throws IOException {
    OpenSae open = find(fields.text("sae"));
    String text = fields.text("text");
    fields.requireNoOther();
    return LossView.of(open, text, limits);
  }

  /**
   * Changes latents.
   *
   * @param fields the body of {@code /api/intervene}
   * @param cancellation ends it between two passes of the model
   * @return its answer
   * @throws IOException if the vocabulary cannot be read
   */
  public ObjectNode intervene(Fields fields, Cancellation cancellation) throws IOException {
    return InterventionView.of(find(fields.text("sae")), fields, limits, cancellation);
  }

  /**
   * Prepares continuations; needs no turn.
   *
   * @param fields the body of {@code /api/generate}
   * @return what generates them
   * @throws IOException if the vocabulary cannot be read
   */
  public ContinuationView generate(Fields fields) throws IOException {
    return ContinuationView.read(find(fields.text("sae")), fields, limits);
  }

  /**
   * Compares two SAEs.
   *
   * @param fields the body of {@code /api/compare}
   * @param cancellation ends it between two passes of the model
   * @return its answer
   * @throws IOException if the vocabulary cannot be read
   */
  public ObjectNode compare(Fields fields, Cancellation cancellation) throws IOException {
    return ComparisonView.of(this, fields, cancellation);
  }

  /**
   * Makes a file of what a view shows.
   *
   * @param fields the body of {@code /api/export}
   * @param cancellation ends it between two passes of the model
   * @return the file
   * @throws IOException if the vocabulary cannot be read
   */
  public ExportFile export(Fields fields, Cancellation cancellation) throws IOException {
    return Export.of(this, fields, cancellation);
  }

  /**
   * Sets a label; needs no turn.
   *
   * @param fields the body of {@code PUT /api/label}
   * @return the label
   * @throws IOException if the file cannot be written
   */
  public ObjectNode putLabel(Fields fields) throws IOException {
    OpenSae open = find(fields.text("sae"));
    int latent = fields.number("latent", 0, open.sae().dSae() - 1);
    String text = fields.text("text");
    fields.requireNoOther();
    if (text.length() > limits.labelCharacters()) {
      throw ViewException.badRequest(
          "text: expected at most %d characters, got %d"
              .formatted(limits.labelCharacters(), text.length()));
    }
    try {
      open.labels().put(latent, text);
    } catch (IllegalArgumentException e) {
      throw ViewException.badRequest("text: expected a label, got a blank one");
    }
    return label(open, latent);
  }

  /**
   * Removes a label; needs no turn.
   *
   * @param query the parameters of {@code DELETE /api/label}
   * @return the label of others, if there is one
   * @throws IOException if the file cannot be written
   */
  public ObjectNode removeLabel(Query query) throws IOException {
    OpenSae open = find(query.requiredText("sae"));
    int latent = query.number("latent", 0, open.sae().dSae() - 1);
    query.requireNoOther();
    open.labels().remove(latent);
    return label(open, latent);
  }

  private static ObjectNode label(OpenSae open, int latent) {
    ObjectNode node = Json.object();
    open.labels().json(node, latent);
    return node;
  }

  /**
   * The contexts of a corpus.
   *
   * @param contexts at least one
   * @param whole whether these are all
   */
  public record Contexts(List<Tokens> contexts, boolean whole) {

    /**
     * Copies the list.
     *
     * @param contexts at least one
     * @param whole whether these are all
     */
    public Contexts {
      contexts = List.copyOf(contexts);
    }
  }

  /** Gives the contexts of a corpus for a model and an SAE. */
  @FunctionalInterface
  public interface Texts {

    /**
     * Reads and packs the texts.
     *
     * @param model makes tokens
     * @param sae says how contexts were packed in its training
     * @return at least one context
     * @throws IOException if a file cannot be read
     */
    Contexts of(LanguageModel model, SAE sae) throws IOException;
  }

  /**
   * Reads a first text, so that weights are at hand and code is compiled when somebody asks, and
   * then the corpus for every SAE that waits for it, one after the other, until {@link #close}; to
   * be run by a thread of its own.
   *
   * @param texts the corpus
   */
  public void readCorpus(Texts texts) {
    saes.stream().filter(open -> open.openModel().isPresent()).forEach(this::warmUp);
    for (OpenSae open : saes) {
      if (open.corpus().isWaiting() && open.openModel().isPresent() && !jobs.isCancelled()) {
        new CorpusJob(open, passes, jobs).run(texts);
      }
    }
  }

  private void warmUp(OpenSae open) {
    try {
      passes.run(jobs, () -> TextView.of(open, example, limits));
    } catch (CancellationException e) {
      return; // The server ends before anybody has asked.
    } catch (Exception e) {
      if (!jobs.isCancelled()) {
        LOG.warn("{} cannot read a text: {}", open.name().key(), e.getMessage());
      }
    }
  }

  /**
   * Ends what runs in the background, and releases the native memory of SAEs and models. Where a
   * computation does not end within a few seconds, the memory is left to the end of the process.
   */
  @Override
  public void close() throws IOException {
    jobs.cancel();
    if (!passes.end(SECONDS_TO_END)) {
      return;
    }
    Set<LanguageModel> models = new LinkedHashSet<>();
    for (OpenSae open : saes) {
      open.openModel().map(OpenSae.OpenModel::model).ifPresent(models::add);
      open.sae().close();
      open.labels().others().close();
    }
    models.forEach(LanguageModel::close);
  }
}
