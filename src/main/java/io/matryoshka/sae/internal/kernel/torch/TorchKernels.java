package io.matryoshka.sae.internal.kernel.torch;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import io.matryoshka.sae.internal.io.FileProblem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The libtorch operations that DJL's API lacks, called through one small TorchScript module (its
 * source is the resource {@code kernels.py}). One instance serves a device for the life of the JVM;
 * it is safe for concurrent calls.
 *
 * <p>Results attach to the manager of the first argument.
 */
public final class TorchKernels {

  private static final String SOURCE = "kernels.py";
  private static final String CLASS_NAME = "Kernels";

  /** Name prefix by which DJL's PyTorch engine picks a method of a module. */
  private static final String METHOD_TAG = "module_method:";

  private static final Map<Device, TorchKernels> INSTANCES = new ConcurrentHashMap<>();

  private final Model model;
  private final NDManager manager;
  private final Map<TorchMethod, NDArray> methodTags = new ConcurrentHashMap<>();

  private TorchKernels(Device device) {
    model = Model.newInstance("matryoshka-sae-kernels", device, "PyTorch");
    try {
      model.load(
          new ByteArrayInputStream(
              TorchScriptArchive.of(CLASS_NAME, source(), TorchScriptArchive.OLDEST_VERSION)));
    } catch (IOException e) {
      throw new UncheckedIOException(FileProblem.ofTemporaryFiles(e)); // DJL takes it from a file.
    } catch (MalformedModelException e) {
      throw new IllegalStateException(
          "the PyTorch engine refused the kernels of this library; expected pytorch-engine 0.36.0"
              + " with libtorch 2.7.1, check the versions on the class path",
          e);
    }
    manager = model.getNDManager();
  }

  /**
   * Returns the kernels on a device, loading them on the first call.
   *
   * @param device where the arguments of the calls will be
   * @return the kernels
   */
  public static TorchKernels on(Device device) {
    return INSTANCES.computeIfAbsent(device, TorchKernels::new);
  }

  /**
   * Multiplies int8 matrices exactly: {@code x w^T}.
   *
   * @param x {@code [n, d_in]} int8
   * @param w {@code [m, d_in]} int8
   * @param out {@code [n, m]} int32, is overwritten
   * @param scope owns temporaries
   */
  public void int8Product(NDArray x, NDArray w, NDArray out, NDManager scope) {
    call(TorchMethod.INT8_MM, x, w, out).attach(scope);
  }

  /**
   * Multiplies float matrices: {@code x w^T}.
   *
   * @param x {@code [n, d_in]} float32
   * @param w {@code [m, d_in]} float32
   * @return {@code [n, m]} float32
   */
  public NDArray product(NDArray x, NDArray w) {
    return call(TorchMethod.LINEAR, x, w);
  }

  /**
   * Multiplies float matrices into given memory: {@code x w^T}.
   *
   * @param x {@code [n, d_in]} float32; columns beyond those of {@code w} are left out
   * @param w {@code [m, d_in]} float32
   * @param out {@code [n, m]} float32, is overwritten
   * @param scope owns temporaries
   */
  public void product(NDArray x, NDArray w, NDArray out, NDManager scope) {
    call(TorchMethod.MM, x, w, out).attach(scope);
  }

  /**
   * Sums weighted rows per bag: {@code out[b] = sum_e values[e] rows[latents[e]]} over the entries
   * {@code e} from {@code offsets[b]} to the next offset; a bag without entries is 0.
   *
   * @param rows {@code [d_sae, d_in]} float
   * @param latents {@code [nnz]} int64
   * @param offsets {@code [bags]} int64, first entry of each bag
   * @param values {@code [nnz]} of the type of {@code rows}
   * @param out {@code [all bags, d_in]}, of which the rows of the span are overwritten
   * @param span int64, the row of the first bag and the one after the last
   * @param scope owns temporaries
   */
  public void weightedBags(
      NDArray rows,
      NDArray latents,
      NDArray offsets,
      NDArray values,
      NDArray out,
      NDArray span,
      NDManager scope) {
    call(TorchMethod.WEIGHTED_BAGS, rows, latents, offsets, values, out, span).attach(scope);
  }

  /**
   * Tells whether an array holds bfloat16, which DJL 0.36 calls {@link DataType#UNKNOWN}.
   *
   * @param x an array of any type
   * @return true for bfloat16
   */
  public boolean isBfloat16(NDArray x) {
    if (x.getDataType() != DataType.UNKNOWN) {
      return x.getDataType() == DataType.BFLOAT16;
    }
    try (NDArray answer = call(TorchMethod.IS_BFLOAT16, x)) {
      return HostCopy.truth(answer);
    }
  }

  /**
   * Widens any floating type, bfloat16 included, to float32.
   *
   * @param x an array of any shape
   * @return the same values in float32
   */
  public NDArray toFloat32(NDArray x) {
    return call(TorchMethod.TO_FLOAT32, x);
  }

  /**
   * Calls a method that returns one array.
   *
   * @param method what to call
   * @param arguments as docs/kernels.md lists them
   * @return the result, on the manager of the first argument
   */
  public NDArray call(TorchMethod method, NDArray... arguments) {
    return callAll(method, arguments).get(0);
  }

  /**
   * Calls a method that returns several arrays.
   *
   * @param method what to call
   * @param arguments as docs/kernels.md lists them
   * @return the results, on the manager of the first argument
   */
  public NDList callAll(TorchMethod method, NDArray... arguments) {
    NDList inputs = new NDList(arguments);
    inputs.add(methodTags.computeIfAbsent(method, this::tag));
    return model.getBlock().forward(new ParameterStore(manager, false), inputs, false);
  }

  private NDArray tag(TorchMethod method) {
    NDArray tag = manager.create(0f);
    tag.setName(METHOD_TAG + method.key());
    return tag;
  }

  private static String source() {
    try (InputStream in = TorchKernels.class.getResourceAsStream(SOURCE)) {
      if (in == null) {
        throw new IllegalStateException("resource " + SOURCE + " is missing from the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("resource " + SOURCE + " cannot be read", e);
    }
  }
}
