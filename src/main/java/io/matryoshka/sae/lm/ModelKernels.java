package io.matryoshka.sae.lm;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import io.matryoshka.sae.internal.io.FileProblem;
import io.matryoshka.sae.internal.kernel.torch.TorchScriptArchive;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The operations of a script among the resources, called by name. One instance of each script
 * serves the JVM; it is safe for concurrent calls.
 *
 * <p>Arguments are arrays, lists of arrays, texts, whole numbers, floating numbers and arrays of
 * those; every native handle made for a call is released when it returns.
 */
final class ModelKernels {

  /** The scripts. */
  private enum Script {
    ARRAYS("Arrays"),
    GEMMA("Gemma"),
    BERT("Bert");

    private final String className;

    Script(String className) {
      this.className = className;
    }

    String file() {
      return className.toLowerCase(Locale.ROOT) + ".py";
    }
  }

  private static final Map<Script, ModelKernels> LOADED = new ConcurrentHashMap<>();

  private final Model model;
  private final PtSymbolBlock block;

  private ModelKernels(Script script) {
    model = Model.newInstance("matryoshka-sae-" + script.className, Device.cpu(), "PyTorch");
    try {
      model.load(
          new ByteArrayInputStream(
              TorchScriptArchive.of(
                  script.className, source(script.file()), TorchScriptArchive.NEWEST_VERSION)));
    } catch (IOException e) {
      throw new UncheckedIOException(FileProblem.ofTemporaryFiles(e)); // DJL takes it from a file.
    } catch (MalformedModelException e) {
      throw new IllegalStateException(
          "the PyTorch engine refused the language model of this library; expected pytorch-engine"
              + " 0.36.0 with libtorch 2.7.1, check the versions on the class path",
          e);
    }
    block = (PtSymbolBlock) model.getBlock();
  }

  /** What all models need: maps of files, and rows by their index. */
  static ModelKernels arrays() {
    return of(Script.ARRAYS);
  }

  /** The arithmetic of Gemma 2 and 3. */
  static ModelKernels gemma() {
    return of(Script.GEMMA);
  }

  /** The arithmetic of BERT. */
  static ModelKernels bert() {
    return of(Script.BERT);
  }

  /** Returns the kernels of a script, loading them on the first call. */
  private static ModelKernels of(Script script) {
    return LOADED.computeIfAbsent(script, ModelKernels::new);
  }

  /** Makes a manager whose arrays a caller owns. */
  NDManager newManager() {
    return model.getNDManager().newSubManager();
  }

  /** Calls a method that returns one array. */
  NDArray call(NDManager owner, String method, Object... arguments) {
    try (Handles handles = new Handles();
        IValue result = IValueUtils.runMethod(block, method, handles.of(arguments))) {
      return result.toTensor((PtNDManager) owner);
    }
  }

  /** Calls a method for what it writes into its arguments. */
  void run(String method, Object... arguments) {
    try (Handles handles = new Handles()) {
      IValueUtils.runMethod(block, method, handles.of(arguments)).close();
    }
  }

  /** Calls a method that returns a tuple of arrays. */
  List<NDArray> callForAll(NDManager owner, String method, Object... arguments) {
    try (Handles handles = new Handles();
        IValue result = IValueUtils.runMethod(block, method, handles.of(arguments))) {
      IValue[] parts = result.toIValueTuple();
      NDArray[] arrays = new NDArray[parts.length];
      for (int i = 0; i < parts.length; i++) {
        try (IValue part = parts[i]) {
          arrays[i] = part.toTensor((PtNDManager) owner);
        }
      }
      return List.of(arrays);
    }
  }

  /** The native handles of one call's arguments. */
  private static final class Handles implements AutoCloseable {

    private IValue[] values = {};

    IValue[] of(Object[] arguments) {
      values = new IValue[arguments.length];
      for (int i = 0; i < arguments.length; i++) {
        values[i] = of(arguments[i]);
      }
      return values;
    }

    private static IValue of(Object argument) {
      if (argument instanceof PtNDArray array) {
        return IValue.from(array);
      } else if (argument instanceof List<?> list) {
        return IValue.listFrom(list.stream().map(PtNDArray.class::cast).toArray(PtNDArray[]::new));
      } else if (argument instanceof Number number) {
        return argument instanceof Double || argument instanceof Float
            ? IValue.from(number.doubleValue())
            : IValue.from(number.longValue());
      } else if (argument instanceof String text) {
        return IValue.from(text);
      } else if (argument instanceof long[] longs) {
        return IValue.listFrom(longs);
      } else if (argument instanceof double[] doubles) {
        return IValue.listFrom(doubles);
      }
      throw new IllegalArgumentException("no argument of a kernel: " + argument.getClass());
    }

    @Override
    public void close() {
      for (IValue value : values) {
        if (value != null) {
          value.close();
        }
      }
    }
  }

  private static String source(String file) {
    try (InputStream in = ModelKernels.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("resource " + file + " is missing from the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("resource " + file + " cannot be read", e);
    }
  }
}
