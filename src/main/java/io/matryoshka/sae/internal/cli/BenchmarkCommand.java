package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.bench.BenchmarkGrid;
import io.matryoshka.sae.internal.bench.BenchmarkReport;
import io.matryoshka.sae.internal.bench.BenchmarkResult;
import io.matryoshka.sae.internal.bench.BenchmarkRun;
import io.matryoshka.sae.internal.bench.BenchmarkTarget;
import io.matryoshka.sae.internal.bench.Machine;
import io.matryoshka.sae.internal.bench.SyntheticActivations;
import io.matryoshka.sae.internal.bench.SyntheticFolder;
import io.matryoshka.sae.internal.bench.SyntheticSae;
import io.matryoshka.sae.internal.io.AtomicFile;
import io.matryoshka.sae.internal.kernel.cpu.MachineLimits;
import io.matryoshka.sae.stream.ActivationBatch;
import io.matryoshka.sae.stream.ActivationBatches;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.NonFiniteRows;
import io.matryoshka.sae.stream.RowFaults;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Times the operations of an SAE on this machine. */
@Command(
    name = "benchmark",
    description = {
      "Times every operation with the fast engine and with dense products in libtorch, in turns in"
          + " one process, and measures the limits of the machine. Without RELEASE or --dir it"
          + " generates an SAE of the shape of the published ones in a temporary folder."
    },
    footer = {"", "Example:", "  matryoshka-sae benchmark all-minilm-l6-v2-matryoshka-demo"})
final class BenchmarkCommand implements Callable<Integer> {

  private static final long SEED = 1;
  private static final List<Integer> D_IN = List.of(2304);
  private static final List<Integer> ALL_D_IN = List.of(1152, 2304, 3584);
  private static final int D_SAE = 32768;

  /** How much longer than an engine's turn each limit of the machine is tried. */
  private static final int LIMIT_TURNS = 5;

  @Spec private CommandSpec spec;

  @Mixin private LoadMixin load;

  @Mixin private GridMixin grid;

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE",
      arity = "1..*",
      parameterConsumer = InputConsumer.class,
      description =
          "Activations for the SAE that you name, used again where they are too few; default:"
              + " synthetic ones.")
  private List<String> inputs = new ArrayList<>();

  @Mixin private TensorMixin tensor;

  @Option(
      names = "--d-in",
      paramLabel = "D,D,...",
      split = ",",
      hideParamSyntax = true,
      description = "d_in of the synthetic SAEs, one run for each; default: 2304.")
  private List<Integer> dIn = new ArrayList<>();

  @Option(
      names = "--d-sae",
      paramLabel = "N",
      description = "d_sae of the synthetic SAEs; default: 32768.")
  private Integer dSae;

  @Option(
      names = "--keep",
      paramLabel = "FOLDER",
      description =
          "Keep synthetic SAEs in this folder and use them again, instead of deleting them.")
  private Path keep;

  @Option(names = "--markdown", description = "Print the tables as Markdown.")
  private boolean markdown;

  @Option(
      names = "--results",
      paramLabel = "FILE",
      description = "Also write the figures, and what the machine is, as JSON.")
  private Path results;

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      description = "Write a plot of tokens per second: forward, or the first operation measured.")
  private Path svg;

  @Mixin private Output output;

  private MachineLimits limits;
  private boolean fetched;

  @Override
  public Integer call() throws IOException {
    checkOptions();
    Output.requireWritable(results, svg);
    if (keep != null) {
      AtomicFile.requireWritableFolder(keep);
    }
    BenchmarkText text = new BenchmarkText(output, markdown);
    List<BenchmarkResult> measured = new ArrayList<>();
    if (load.isNamed()) {
      measured.add(measure(named(), text));
    } else {
      for (SyntheticSae sae : synthetic()) {
        try (SyntheticFolder folder =
            keep == null ? SyntheticFolder.temporary(sae) : SyntheticFolder.kept(sae, keep)) {
          BenchmarkTarget subject =
              BenchmarkTarget.of(sae, folder, load.options(output), load.device());
          measured.add(measure(subject, text));
        }
      }
    }
    write(new BenchmarkReport(Machine.here(), limits, measured));
    return ExitCode.OK.code();
  }

  private void checkOptions() throws IOException {
    grid.check();
    if (load.isNamed() && (!dIn.isEmpty() || dSae != null || keep != null)) {
      throw usage("--d-in, --d-sae and --keep are for synthetic SAEs, but an SAE is named");
    }
    if (!load.isNamed() && !inputs.isEmpty()) {
      throw usage("--input is for an SAE that you name; expected RELEASE or --dir, got none");
    }
    if (svg != null && !grid.hasOperations()) {
      throw usage("--svg plots an operation, but --operations has only load");
    }
  }

  private List<SyntheticSae> synthetic() {
    List<Integer> sizes = dIn.isEmpty() ? grid.isAll() ? ALL_D_IN : D_IN : dIn;
    List<SyntheticSae> saes =
        sizes.stream().map(d -> new SyntheticSae(d, dSae == null ? D_SAE : dSae, SEED)).toList();
    saes.forEach(sae -> grid.grid(sae.dSae()).requireFits(sae.dIn(), sae.dSae()));
    return saes;
  }

  private BenchmarkTarget named() throws IOException {
    return new BenchmarkTarget(
        load.name(), load.device(), this::open, this::activations, Optional.empty());
  }

  /** Opens the SAE that the user named; it is fetched the first time only. */
  private SAE open(LoadOptions.Engine engine, boolean preparedCache) throws IOException {
    LoadOptions options =
        load.options(output)
            .engine(load.isReference() ? LoadOptions.Engine.REFERENCE : engine)
            .preparedCache(preparedCache && load.keepsPreparedData());
    SAE sae = load.open(fetched ? options.forceDownload(false).offline(true) : options);
    fetched = true;
    return sae;
  }

  private float[] activations(SAE sae, int count) throws IOException {
    if (inputs.isEmpty()) {
      return SyntheticActivations.of(sae, count, SEED);
    }
    ActivationSource source = tensor.open(TensorMixin.find(inputs), sae);
    if (source.rows() == 0) {
      throw new IllegalArgumentException("--input: expected at least one row, got none");
    }
    float[] values = new float[count * sae.dIn()];
    int filled = 0;
    try (ActivationBatches batches = source.batches(count, 0)) {
      while (filled < values.length && batches.hasNext()) {
        ActivationBatch batch = batches.next();
        requireFinite(batch, sae, source);
        int taken = Math.min(values.length - filled, batch.rows() * sae.dIn());
        System.arraycopy(batch.values(), 0, values, filled, taken);
        filled += taken;
      }
    }
    for (int i = filled; i < values.length; i++) {
      values[i] = values[i - filled];
    }
    return values;
  }

  private static void requireFinite(ActivationBatch batch, SAE sae, ActivationSource source)
      throws IOException {
    RowFaults faults = RowFaults.of(sae);
    NonFiniteRows stop = new NonFiniteRows(source, RowRules.all());
    for (int row = 0; row < batch.rows(); row++) {
      Optional<String> fault = faults.before(batch.values(), row);
      if (fault.isPresent()) {
        stop.add(batch.firstRow() + row, fault.get());
      }
    }
  }

  private BenchmarkResult measure(BenchmarkTarget subject, BenchmarkText text) throws IOException {
    BenchmarkGrid chosen;
    try (SAE sae = subject.opener().open(LoadOptions.Engine.FAST, true)) {
      chosen = grid.grid(sae.dSae());
      chosen.requireFits(sae.dIn(), sae.dSae());
    }
    if (limits == null) {
      limits = MachineLimits.measure(chosen.secondsPerTurn() * LIMIT_TURNS);
      text.machine(Machine.here(), limits);
    }
    BenchmarkResult result;
    try (Progress bar = output.progress("benchmark", "measurements", chosen.measurements())) {
      bar.stepTo(0);
      result = BenchmarkRun.run(subject, chosen, bar::stepTo);
    }
    text.result(result, limits);
    return result;
  }

  private void write(BenchmarkReport report) throws IOException {
    if (output.isJson()) {
      output.json(report.json());
    }
    if (results != null) {
      AtomicFile.write(results, report.json().toPrettyString() + System.lineSeparator());
    }
    if (svg != null) {
      AtomicFile.write(svg, report.svg());
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
