package io.matryoshka.sae.internal.serve.view;

import io.matryoshka.sae.explore.Exploration;
import io.matryoshka.sae.explore.ExplorationReport;
import io.matryoshka.sae.explore.Explorer;
import io.matryoshka.sae.explore.ExplorerOptions;
import io.matryoshka.sae.internal.io.TemporaryFolder;
import io.matryoshka.sae.lm.ActivationExport;
import io.matryoshka.sae.lm.TokenMask;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.stream.SourceOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a corpus for one SAE in the background: activations to a temporary folder, then the passes
 * of {@link Explorer}. After every few hundred tokens others have their turn.
 */
final class CorpusJob {

  private static final Logger LOG = LoggerFactory.getLogger(CorpusJob.class);

  /** Tokens that go through the model at a time. */
  private static final int TOKENS_AT_ONCE = 512;

  private static final int ROWS_AT_ONCE = 512;
  private final OpenSae open;
  private final Corpus corpus;
  private final Passes passes;
  private final Cancellation cancellation;

  CorpusJob(OpenSae open, Passes passes, Cancellation cancellation) {
    this.open = open;
    this.corpus = open.corpus();
    this.passes = passes;
    this.cancellation = cancellation;
  }

  void run(Workspace.Texts texts) {
    try {
      corpus.step("read", 0, 0);
      Workspace.Contexts read = texts.of(open.model(), open.sae());
      if (!read.whole()) {
        corpus.readInPart();
      }
      corpus.ready(new ReportFindings(passes.run(cancellation, () -> explore(read.contexts()))));
    } catch (CancellationException e) {
      corpus.failed("stopped");
    } catch (Exception e) {
      if (cancellation.isCancelled()) {
        corpus.failed("stopped"); // Reading files notices an interruption, too.
        return;
      }
      LOG.warn("the corpus {} cannot be read", corpus.source(), e);
      corpus.failed(String.valueOf(e.getMessage()));
    }
  }

  private void step(String task, long done, long total) {
    passes.stepAside(cancellation, () -> corpus.step(task, done, total));
  }

  private ExplorationReport explore(List<Tokens> contexts) throws IOException {
    try (TemporaryFolder temporary = TemporaryFolder.create("serve")) {
      Path folder = temporary.path();
      ActivationSource source = activations(contexts, folder);
      ExplorerOptions options =
          new ExplorerOptions(
              IntStream.range(0, open.sae().dSae()).boxed().toList(),
              ExplorerOptions.defaults().contexts(),
              ExplorerOptions.defaults().reach(),
              ExplorerOptions.defaults().relatives(),
              ExplorerOptions.defaults().minBoth(),
              ExplorerOptions.defaults().maxPairs(),
              ROWS_AT_ONCE,
              rules(contexts, folder),
              false);
      Exploration found = new Explorer(open.sae(), this::step).explore(source, options);
      return new ExplorationReport(
          open.name().key(), open.entry(), found, Optional.of(tokens(contexts)), Optional.empty());
    }
  }

  private ActivationSource activations(List<Tokens> contexts, Path folder) throws IOException {
    long total = contexts.stream().mapToLong(Tokens::size).sum();
    int longest = contexts.stream().mapToInt(Tokens::size).max().orElse(1);
    String hook = open.hookPoint().toString();
    Path files = folder.resolve("activations");
    new ActivationExport(
            open.model(), List.of(hook), false, done -> step("language model", done, total))
        .toFolder(contexts, files, Math.max(1, TOKENS_AT_ONCE / longest));
    return ActivationSource.open(List.of(files), SourceOptions.of(open.sae()).tensor(hook));
  }

  /** Leaves out the rows of special tokens where the SAE was trained without them. */
  private RowRules rules(List<Tokens> contexts, Path folder) throws IOException {
    Set<Integer> uncounted = open.uncounted();
    if (uncounted.isEmpty()) {
      return RowRules.all();
    }
    Path file = folder.resolve("mask.safetensors");
    TokenMask.write(contexts, uncounted, file);
    return RowRules.all().mask(RowMask.open(file, Optional.of(TokenMask.TENSOR)));
  }

  /** The tokens as the vocabulary spells them, each context a sequence of its own. */
  private static io.matryoshka.sae.explore.Tokens tokens(List<Tokens> contexts) {
    return io.matryoshka.sae.explore.Tokens.ofSequences(
        contexts.stream().map(Tokens::pieces).toList());
  }
}
