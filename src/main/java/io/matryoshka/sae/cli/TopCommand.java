package io.matryoshka.sae.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.explore.Tokens;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the strongest latents of each token. */
@Command(name = "top", description = "Prints the strongest latents of each token, by level.")
final class TopCommand implements Callable<Integer> {

  private static final int BATCH_ROWS = 1024;

  @Mixin private LoadMixin load;

  @Mixin private ActivationsMixin activations;

  @Mixin private TokensMixin tokenTexts;

  @Option(
      names = "--rows",
      paramLabel = "FIRST-LAST",
      defaultValue = "0-19",
      converter = IntRange.Converter.class,
      description = "Rows to print, from 0; default: ${DEFAULT-VALUE}.")
  private IntRange rows;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "N",
      defaultValue = "3",
      description = "Latents to print for each level; default: ${DEFAULT-VALUE}.")
  private int count;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (count < 1) {
      throw new IllegalArgumentException("--count: expected at least 1, got " + count);
    }
    try (SAE sae = load.open(output)) {
      ActivationSource source = activations.open(sae.dIn());
      Optional<Tokens> tokens = tokenTexts.read(source);
      if (rows.first() >= source.rows()) {
        throw new IllegalArgumentException(
            "--rows: expected rows below " + source.rows() + ", got " + rows);
      }
      print(sae, source, tokens);
    }
    return ExitCode.OK.code();
  }

  private void print(SAE sae, ActivationSource source, Optional<Tokens> tokens) throws IOException {
    TokenLatents latents = new TokenLatents(Levels.of(sae), count, tokens.isPresent());
    int batchRows = Math.min(BATCH_ROWS, rows.last() - rows.first() + 1);
    try (ActivationBatches batches = source.batches(batchRows, rows.first());
        Progress progress = output.progress("top", "tokens", source.rows())) {
      while (batches.hasNext()) {
        ActivationBatch batch = batches.next();
        if (batch.firstRow() > rows.last()) {
          break;
        }
        SparseLatents encoded = sae.encodeSparse(FloatBuffer.wrap(batch.values()), batch.rows());
        for (int r = 0; r < batch.rows() && batch.firstRow() + r <= rows.last(); r++) {
          int row = (int) batch.firstRow() + r;
          latents.add(row, tokens.map(t -> t.text(row)).orElse(""), encoded, r);
        }
        progress.stepTo(batch.firstRow());
      }
    }
    if (output.isJson()) {
      ObjectNode result = Output.object();
      ArrayNode array = result.putArray("rows");
      latents.json().forEach(array::add);
      output.json(result);
    } else {
      output.table(latents.table(output.hasColours()));
    }
  }
}
