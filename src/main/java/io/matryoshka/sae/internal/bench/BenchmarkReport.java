package io.matryoshka.sae.internal.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.kernel.cpu.MachineLimits;
import io.matryoshka.sae.internal.report.LineChart;
import io.matryoshka.sae.internal.report.Scale;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The figures of a whole run, for programs and as a plot.
 *
 * @param machine where they were measured
 * @param limits the most that the machine gives, measured in the same run
 * @param results the SAEs
 */
public record BenchmarkReport(
    Machine machine, MachineLimits limits, List<BenchmarkResult> results) {

  /**
   * Copies the list.
   *
   * @param machine where they were measured
   * @param limits the most that the machine gives, measured in the same run
   * @param results the SAEs
   */
  public BenchmarkReport {
    results = List.copyOf(results);
  }

  /**
   * Returns the report for programs.
   *
   * @return an object with {@code machine}, {@code limits} and {@code saes}; what was not measured
   *     is null
   */
  public ObjectNode json() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.putObject("machine")
        .put("processor", machine.processor())
        .put("processors", machine.processors())
        .put("threads", limits.threads())
        .put("screening_product", limits.product())
        .put("system", machine.system())
        .put("jvm", machine.jvm())
        .put("libtorch", machine.libtorch())
        .put("max_heap_bytes", machine.maxHeapBytes());
    ObjectNode limit = root.putObject("limits");
    put(limit, "float32_operations_per_second", limits.float32PerSecond());
    put(limit, "int8_operations_per_second", limits.int8PerSecond());
    put(limit, "read_bytes_per_second", limits.readBytesPerSecond());
    ArrayNode saes = root.putArray("saes");
    results.forEach(result -> sae(result, saes.addObject()));
    return root;
  }

  private void sae(BenchmarkResult result, ObjectNode node) {
    node.put("name", result.name())
        .put("device", result.device().toString())
        .put("d_in", result.dIn())
        .put("d_sae", result.dSae())
        .put("fast_engine", result.hasFastEngine())
        .put("mean_l0", result.meanL0());
    ArrayNode measurements = node.putArray("measurements");
    result.measurements().forEach(m -> measurement(result, m, measurements.addObject()));
    ArrayNode loads = node.putArray("load");
    for (LoadTiming load : result.loads()) {
      ObjectNode one = loads.addObject().put("kind", load.kind().title());
      put(one, "load_seconds", load.loadSeconds());
      put(one, "first_encode_seconds", load.firstSeconds());
      put(one, "total_seconds", load.totalSeconds());
    }
    result
        .memory()
        .ifPresent(
            memory ->
                node.putObject("memory")
                    .put("tokens", memory.tokens())
                    .put("base_bytes", memory.baseBytes())
                    .put("peak_bytes", memory.peakBytes()));
  }

  private void measurement(BenchmarkResult result, Measurement m, ObjectNode node) {
    node.put("operation", m.operation().key())
        .put("tokens", m.tokens())
        .put("width", m.width())
        .put("rounds", m.rounds());
    put(node, "fast_seconds", m.fastSeconds());
    put(node, "dense_seconds", m.denseSeconds());
    put(node, "ratio", m.ratio());
    put(node, "tokens_per_second", m.tokensPerSecond());
    put(node, "gigaflop_equivalent_per_second", m.gigaflopEquivalent());
    put(node, "candidate_share", m.candidateShare());
    put(node, "share_of_limit", result.shareOfLimit(m, limits));
  }

  private static void put(ObjectNode node, String name, TimingSummary summary) {
    put(node, name, summary.median());
    put(node, name + "_low", summary.low());
    put(node, name + "_high", summary.high());
  }

  private static void put(ObjectNode node, String name, double value) {
    if (Double.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }

  /**
   * Returns a plot of tokens per second against tokens of a call, of forward or else the first
   * operation measured. Of one SAE it has every width, of several the largest width of each.
   *
   * @return the text of an SVG file
   * @throws IllegalStateException if no operation was measured
   */
  public String svg() {
    Operation shown =
        operations()
            .filter(Operation.FORWARD::equals)
            .findFirst()
            .or(() -> operations().findFirst())
            .orElseThrow(() -> new IllegalStateException("no operation was measured to plot"));
    List<LineChart.Line> lines = new ArrayList<>();
    for (BenchmarkResult result : results) {
      for (int width : widths(result)) {
        String size = results.size() == 1 ? "width " + width : result.dIn() + " to " + width;
        line("fast, " + size, result, shown, width, Measurement::fastSeconds, lines);
        line("dense, " + size, result, shown, width, Measurement::denseSeconds, lines);
      }
    }
    BenchmarkResult first = results.get(0);
    String title =
        results.size() == 1
            ? "%s, %s, %d to %d".formatted(shown.key(), first.name(), first.dIn(), first.dSae())
            : shown.key();
    return new LineChart(
            title, "tokens of a call", Scale.LOG, "tokens per second", Scale.LOG, lines)
        .svg();
  }

  private Stream<Operation> operations() {
    return results.stream().flatMap(r -> r.measurements().stream()).map(Measurement::operation);
  }

  private List<Integer> widths(BenchmarkResult result) {
    Stream<Integer> all = result.measurements().stream().map(Measurement::width).distinct();
    return results.size() == 1
        ? all.sorted(Comparator.reverseOrder()).toList()
        : all.max(Comparator.naturalOrder()).stream().toList();
  }

  private static void line(
      String name,
      BenchmarkResult result,
      Operation operation,
      int width,
      Function<Measurement, TimingSummary> time,
      List<LineChart.Line> lines) {
    List<LineChart.Point> points =
        result.measurements().stream()
            .filter(m -> m.operation() == operation && m.width() == width)
            .filter(m -> time.apply(m).isMeasured())
            .sorted(Comparator.comparingInt(Measurement::tokens))
            .map(m -> new LineChart.Point(m.tokens(), m.tokens() / time.apply(m).median()))
            .toList();
    if (!points.isEmpty()) {
      lines.add(new LineChart.Line(name, points));
    }
  }
}
