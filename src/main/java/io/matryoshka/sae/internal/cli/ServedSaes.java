package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.serve.view.Corpus;
import io.matryoshka.sae.internal.serve.view.OpenSae;
import io.matryoshka.sae.internal.serve.view.SaeLabels;
import io.matryoshka.sae.internal.serve.view.SaeName;
import io.matryoshka.sae.labels.LabelException;
import io.matryoshka.sae.labels.LabelFile;
import io.matryoshka.sae.labels.LabelOptions;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Opens SAEs with their language models and labels; SAEs of one model share it. */
final class ServedSaes implements AutoCloseable {

  private final LoadMixin load;
  private final ModelMixin model;
  private final LabelsMixin labels;
  private final Output output;
  private final List<OpenSae> opened = new ArrayList<>();
  private final List<OpenSae.OpenModel> models = new ArrayList<>();
  private final List<AutoCloseable> toClose = new ArrayList<>();

  /** A model, or why there is none: latents can be looked at without one. */
  private record Found(Optional<OpenSae.OpenModel> model, String reason) {}

  ServedSaes(LoadMixin load, ModelMixin model, LabelsMixin labels, Output output) {
    this.load = load;
    this.model = model;
    this.labels = labels;
    this.output = output;
  }

  /** Gives what is known from a corpus, when the SAE is open. */
  @FunctionalInterface
  interface CorpusOf {
    Corpus of(LoadWords words, SAE sae) throws IOException;
  }

  /** Opens an SAE. */
  void open(LoadWords words, Optional<SaeEntry> entry, SAE sae, CorpusOf corpus)
      throws IOException {
    toClose.add(sae);
    Found found = model(words, sae);
    SaeName name =
        new SaeName(
            words.key(),
            words.release(),
            words.saeId(),
            words.java(),
            javaModel(),
            wordsWithModel(words));
    opened.add(
        new OpenSae(
            name,
            sae,
            found.model(),
            found.reason(),
            entry,
            labels(words, entry),
            corpus.of(words, sae)));
  }

  /** Everything that is open, to be closed by whoever gets it. */
  List<OpenSae> handOver() {
    toClose.clear();
    return List.copyOf(opened);
  }

  private Found model(LoadWords words, SAE sae) throws IOException {
    if (model.isGiven() && !models.isEmpty()) {
      return new Found(Optional.of(models.get(0)), "");
    }
    try {
      LanguageModel fresh = load.openModelUntold(sae.config(), model, output);
      Optional<OpenSae.OpenModel> shared =
          models.stream().filter(open -> open.model().name().equals(fresh.name())).findFirst();
      if (shared.isPresent()) {
        fresh.close();
        return new Found(shared, "");
      }
      toClose.add(fresh);
      OpenSae.OpenModel open = new OpenSae.OpenModel(nameOf(words, fresh), fresh);
      models.add(open);
      return new Found(Optional.of(open), "");
    } catch (IllegalArgumentException | IOException e) {
      if (model.isGiven()) {
        throw e;
      }
      output.note("%s: no texts, as %s".formatted(words.key(), e.getMessage()));
      return new Found(Optional.empty(), String.valueOf(e.getMessage()));
    }
  }

  private String nameOf(LoadWords words, LanguageModel fresh) throws IOException {
    ReleaseRegistry known = load.releases();
    Optional<String> published =
        words
            .release()
            .filter(known::contains)
            .filter(release -> !model.isGiven())
            .map(release -> known.release(release).model());
    return published.or(model::name).orElse(fresh.name());
  }

  private String javaModel() {
    return model.isGiven()
        ? model
            .folder()
            .map(folder -> "LanguageModel.load(Path.of(\"%s\"))".formatted(folder))
            .orElse(
                "LanguageModel.fromPretrained(\"%s\", LanguageModelOptions.defaults())"
                    .formatted(model.name().orElseThrow()))
        : "LanguageModel.of(sae)";
  }

  private List<String> wordsWithModel(LoadWords words) {
    List<String> all = new ArrayList<>(words.words());
    model.name().ifPresent(name -> all.addAll(List.of("--model", name)));
    return all;
  }

  private SaeLabels labels(LoadWords words, Optional<SaeEntry> entry) throws IOException {
    Labels others = neuronpedia(entry);
    toClose.add(others);
    Optional<Path> file =
        labels.file().isPresent() ? labels.file() : DataFolder.labels(words.key(), System.getenv());
    if (file.isEmpty()) {
      String reason = "there is no home folder to keep labels in; name a file with --labels-file";
      return new SaeLabels(Optional.empty(), reason, others);
    }
    try {
      return new SaeLabels(Optional.of(LabelFile.open(file.get())), "", others);
    } catch (LabelException e) {
      output.note("labels cannot be changed: " + e.getMessage());
      return new SaeLabels(Optional.empty(), e.getMessage(), others);
    }
  }

  /**
   * Fetches the labels of Neuronpedia if they are wanted, and opens what was kept of them: what a
   * page asks for leads to no request.
   */
  private Labels neuronpedia(Optional<SaeEntry> entry) throws IOException {
    if (!labels.isNeuronpediaWanted()) {
      return Labels.none();
    }
    Optional<String> id = entry.flatMap(SaeEntry::neuronpediaId);
    if (id.isEmpty()) {
      output.note("no labels of Neuronpedia: this SAE is not known to be there");
      return Labels.none();
    }
    LabelOptions options = LabelOptions.defaults();
    try {
      Labels.neuronpedia(id.get(), options.withOffline(load.isOffline())).close();
      return Labels.neuronpedia(id.get(), options.withOffline(true));
    } catch (LabelException e) {
      output.note("no labels of Neuronpedia: " + e.getMessage());
      return Labels.none();
    }
  }

  /** Closes what was not handed over. */
  @Override
  public void close() throws IOException {
    for (AutoCloseable one : toClose) {
      try {
        one.close();
      } catch (IOException | RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IOException(e);
      }
    }
  }
}
