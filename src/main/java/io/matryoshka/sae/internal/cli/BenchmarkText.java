package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.bench.BenchmarkResult;
import io.matryoshka.sae.internal.bench.LoadTiming;
import io.matryoshka.sae.internal.bench.Machine;
import io.matryoshka.sae.internal.bench.Measurement;
import io.matryoshka.sae.internal.bench.MemoryUse;
import io.matryoshka.sae.internal.bench.TimingSummary;
import io.matryoshka.sae.internal.kernel.cpu.MachineLimits;

/** Prints the figures of a benchmark for people, as they come. */
final class BenchmarkText {

  private static final String MISSING = "–";
  private static final double GIGA = 1e9;
  private static final double MILLIS = 1e3;
  private static final double PERCENT = 100;

  private final Output output;
  private final boolean markdown;

  BenchmarkText(Output output, boolean markdown) {
    this.output = output;
    this.markdown = markdown;
  }

  void machine(Machine machine, MachineLimits limits) {
    line(
        "%s, %d processors, %d threads; %s; %s; libtorch %s"
            .formatted(
                machine.processor(),
                machine.processors(),
                limits.threads(),
                machine.system(),
                machine.jvm(),
                machine.libtorch()));
    line(
        "limits of the processor: float32 product %s GFLOP/s, int8 product %s GOP/s, memory %s GB/s"
            .formatted(
                number(limits.float32PerSecond() / GIGA, 0),
                number(limits.int8PerSecond() / GIGA, 0),
                number(limits.readBytesPerSecond() / GIGA, 1)));
    line("screening product: " + limits.product());
  }

  void result(BenchmarkResult result, MachineLimits limits) {
    line("");
    line(
        "%s on %s: d_in %d, d_sae %d, mean L0 %s"
            .formatted(
                result.name(),
                result.device(),
                result.dIn(),
                result.dSae(),
                Numbers.fixed(result.meanL0(), 1)));
    if (!result.hasFastEngine()) {
      line("This SAE has no fast engine here, so only dense products were timed.");
    }
    if (!result.measurements().isEmpty()) {
      table(operations(result, limits));
    }
    if (!result.loads().isEmpty()) {
      table(loads(result));
    }
    result.memory().ifPresent(this::memory);
  }

  private TextTable operations(BenchmarkResult result, MachineLimits limits) {
    TextTable table =
        TextTable.of(
            "operation",
            ">tokens",
            ">width",
            ">fast ms",
            ">dense ms",
            ">ratio",
            ">range",
            ">tokens/s",
            ">GFLOP/s equivalent",
            ">candidates",
            ">of limit");
    for (Measurement m : result.measurements()) {
      table.row(
          m.operation().key(),
          m.tokens(),
          m.width(),
          millis(m.fastSeconds().median()),
          millis(m.denseSeconds().median()),
          significant(m.ratio().median()),
          range(m.ratio()),
          number(m.tokensPerSecond(), 0),
          number(m.gigaflopEquivalent(), 0),
          percent(m.candidateShare(), 2),
          percent(result.shareOfLimit(m, limits), 0));
    }
    return table;
  }

  private TextTable loads(BenchmarkResult result) {
    TextTable table =
        TextTable.of("load", ">load ms", ">first token ms", ">together ms", ">range ms");
    for (LoadTiming load : result.loads()) {
      table.row(
          load.kind().title(),
          millis(load.loadSeconds().median()),
          millis(load.firstSeconds().median()),
          millis(load.totalSeconds().median()),
          millis(load.totalSeconds().low()) + "–" + millis(load.totalSeconds().high()));
    }
    return table;
  }

  private void memory(MemoryUse memory) {
    line("");
    line(
        "resident memory of the fast engine: %s before loading, at most %s with forward of %d tokens"
            .formatted(
                Numbers.bytes(memory.baseBytes()),
                Numbers.bytes(memory.peakBytes()),
                memory.tokens()));
  }

  private void table(TextTable table) {
    line("");
    (markdown ? table.markdown() : table.lines()).forEach(this::line);
  }

  private void line(String text) {
    if (!output.isJson()) {
      output.line(text);
    }
  }

  private static String range(TimingSummary spread) {
    return spread.isMeasured()
        ? significant(spread.low()) + "–" + significant(spread.high())
        : MISSING;
  }

  private static String millis(double seconds) {
    return significant(seconds * MILLIS);
  }

  /** Three digits, more where the number has more before the point. */
  private static String significant(double value) {
    if (Double.isNaN(value)) {
      return MISSING;
    }
    int before = value >= 1 ? (int) Math.floor(Math.log10(value)) + 1 : 1;
    return Numbers.fixed(value, Math.max(0, 3 - before));
  }

  private static String percent(double share, int digits) {
    return Double.isNaN(share) ? MISSING : Numbers.fixed(share * PERCENT, digits) + " %";
  }

  private static String number(double value, int digits) {
    return Double.isNaN(value) ? MISSING : Numbers.fixed(value, digits);
  }
}
