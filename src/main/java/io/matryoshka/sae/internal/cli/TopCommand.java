package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.Levels;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.EvaluationHints;
import io.matryoshka.sae.eval.Evaluator;
import io.matryoshka.sae.explore.Tokens;
import io.matryoshka.sae.labels.Labels;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.BatchEncoder;
import io.matryoshka.sae.stream.EncodedBatch;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the strongest latents of each token. */
@Command(
    name = "top",
    description = "Prints the strongest latents of each token, by level.",
    footer = {
      "",
      "Example:",
      "  matryoshka-sae top all-minilm-l6-v2-matryoshka-demo -i acts.npy --rows 0-9"
    })
final class TopCommand implements Callable<Integer> {

  private static final int BATCH_ROWS = 1024;

  @Mixin private LoadMixin load;

  @Mixin private ActivationsMixin activations;

  @Mixin private TokensMixin tokenTexts;

  @Mixin private RowsMixin rowOptions;

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

  @Mixin private LabelsMixin labelOptions;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    if (count < 1) {
      throw new IllegalArgumentException("--count: expected at least 1, got " + count);
    }
    activations.find();
    RowRules rules = rowOptions.rules();
    try (Labels labels = labelOptions.open(load, output);
        SAE sae = load.open(output)) {
      ActivationSource source = activations.open(sae, load, output);
      Optional<Tokens> given = tokenTexts.read(source);
      Optional<Tokens> tokens = given.or(() -> activations.ofText().map(TextActivations::tokens));
      if (rows.first() >= source.rows()) {
        throw new IllegalArgumentException(
            "--rows: expected rows below %s, got %s".formatted(source.rows(), rows));
      }
      print(sae, source, tokens, rules, labels);
    }
    return ExitCode.OK.code();
  }

  private void print(
      SAE sae, ActivationSource source, Optional<Tokens> tokens, RowRules rules, Labels labels)
      throws IOException {
    TokenLatents latents = new TokenLatents(Levels.of(sae), count, tokens.isPresent());
    BatchEncoder encoder = new BatchEncoder(sae, source, Optional.empty(), rules);
    Evaluator evaluator = Evaluator.of(sae);
    int end = (int) Math.min(source.rows(), rows.last() + 1L);
    int batchRows = Math.min(BATCH_ROWS, end - rows.first());
    long masked = 0;
    long nonFinite = 0;
    try (ActivationBatches batches = source.batches(batchRows, rows.first());
        Progress progress = output.progress("top", "tokens", end)) {
      for (int first = rows.first(); first < end; first += batchRows) {
        ActivationBatch batch = batches.next().first(Math.min(batchRows, end - first));
        EncodedBatch encoded = encoder.encode(batch);
        add(encoded, tokens, latents);
        masked += encoded.masked().cardinality();
        nonFinite += encoded.nonFinite().cardinality();
        if (first - rows.first() < BATCH_ROWS && !sae.isTranscoder()) {
          evaluator.add(FloatBuffer.wrap(batch.values()), batch.rows(), encoded.counted());
        }
        progress.stepTo(encoded.endRow());
      }
    }
    RowRules.requireCounted(end - rows.first(), masked, nonFinite);
    if (!sae.isTranscoder()) { // reconstructions cannot be compared with what it reads
      EvaluationHints.of(evaluator.result(), sae, load.trainingK(sae)).forEach(output::note);
    }
    if (output.isJson()) {
      ObjectNode result = Output.object();
      ArrayNode array = result.putArray("rows");
      latents.json(labels).forEach(array::add);
      output.json(result);
    } else {
      output.table(latents.table(output.hasColours()));
      latents
          .labels(labels)
          .ifPresent(
              table -> {
                output.line("");
                output.table(table);
              });
    }
  }

  private static void add(EncodedBatch encoded, Optional<Tokens> tokens, TokenLatents latents) {
    SparseLatents all = encoded.allRows();
    boolean[] counted = encoded.counted();
    for (int r = 0; r < encoded.rows(); r++) {
      int row = (int) encoded.firstRow() + r;
      if (counted[r]) {
        latents.add(row, tokens.map(t -> t.text(row)).orElse(""), all, r);
      }
    }
  }
}
