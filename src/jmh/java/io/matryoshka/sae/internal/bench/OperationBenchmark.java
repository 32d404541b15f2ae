package io.matryoshka.sae.internal.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Times every operation of an SAE with JMH, on synthetic SAEs of the published shapes. FAST is what
 * users call, REFERENCE the dense form in libtorch.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class OperationBenchmark {

  private static final long SEED = 1;

  /** The width of a model activation. */
  @Param({"2304", "1152", "3584"})
  public int dIn;

  /** The number of latents. */
  @Param("32768")
  public int dSae;

  /** Tokens of a call. */
  @Param({"1", "16", "128", "512", "4096"})
  public int tokens;

  /** Width of the prefix view that is called. */
  @Param({"128", "512", "2048", "8192", "32768"})
  public int width;

  /** Which implementation runs. */
  @Param({"FAST", "REFERENCE"})
  public LoadOptions.Engine engine;

  /** Where synthetic SAEs are kept from run to run; empty for temporary ones. */
  @Param("")
  public String keep;

  private SyntheticFolder folder;
  private SAE sae;
  private SAE view;
  private NDManager manager;
  private Operation.Input input;

  /**
   * Makes and loads the SAE, and the input of all operations.
   *
   * @throws IOException if the SAE cannot be written or read
   */
  @Setup
  public void open() throws IOException {
    SyntheticSae made = new SyntheticSae(dIn, dSae, SEED);
    folder =
        keep.isEmpty()
            ? SyntheticFolder.temporary(made)
            : SyntheticFolder.kept(made, Path.of(keep));
    sae = SAE.load(folder.path(), LoadOptions.defaults().engine(engine));
    view = sae.prefix(width);
    manager = NDManager.newBaseManager(Device.cpu());
    float[] values = made.tokens(0, tokens);
    SparseLatents latents = view.encode(FloatBuffer.wrap(values), tokens);
    boolean dense = engine == LoadOptions.Engine.REFERENCE;
    NDArray x = manager.create(values, new Shape(tokens, dIn));
    input =
        new Operation.Input(
            x, latents, dense ? latents.toDense(manager) : manager.zeros(new Shape(0)));
  }

  /** Releases the SAE and deletes its folder unless it is kept. */
  @TearDown
  public void close() {
    manager.close();
    sae.close();
    folder.close();
  }

  /** Times {@link SAE#encodeSparse(NDArray)}. */
  @Benchmark
  public void encodeSparse() {
    run(Operation.ENCODE_SPARSE);
  }

  /** Times {@link SAE#encode(NDArray)}. */
  @Benchmark
  public void encode() {
    run(Operation.ENCODE);
  }

  /** Times {@link SAE#decode(SparseLatents, NDManager)}, or of dense latents. */
  @Benchmark
  public void decode() {
    run(Operation.DECODE);
  }

  /** Times {@link SAE#forward(NDArray)}. */
  @Benchmark
  public void forward() {
    run(Operation.FORWARD);
  }

  /** Times {@link SAE#reconstructions(NDArray)}. */
  @Benchmark
  public void reconstructions() {
    run(Operation.RECONSTRUCTIONS);
  }

  private void run(Operation operation) {
    try (NDManager scope = manager.newSubManager()) {
      if (engine == LoadOptions.Engine.FAST) {
        operation.fast(view, input, scope);
      } else {
        operation.dense(view, input, scope);
      }
    }
  }
}
