package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.matryoshka.sae.internal.model.Coder;
import io.matryoshka.sae.internal.model.Weights;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Runs the calls of an SAE or prefix view: each in a scope of its own, whose temporaries die with
 * it, while the weights stay alive.
 */
final class Calls {

  /** Of calls whose work is not known, or done by libtorch. */
  private static final long ANY_WORK = Long.MAX_VALUE;

  private final Weights weights;
  private final Coder coder;
  private final boolean view;
  private volatile boolean viewClosed;

  Calls(Weights weights, Coder coder, boolean view) {
    this.weights = weights;
    this.coder = coder;
    this.view = view;
  }

  /** Runs a call in a scope below a manager; it hands its result on itself. */
  <T> T scoped(NDManager owner, Function<NDManager, T> call) {
    return scoped(owner, ANY_WORK, call);
  }

  /** The same, where about how many multiplications it takes is known. */
  <T> T scoped(NDManager owner, long multiplications, Function<NDManager, T> call) {
    try (Weights.Use use = use();
        NDManager scope = owner.newSubManager(weights.manager().getDevice())) {
      Objects.requireNonNull(use);
      return coder.compute(multiplications, () -> call.apply(scope));
    }
  }

  /** Runs a call that leaves no arrays behind. */
  <T> T scoped(Function<NDManager, T> call) {
    return scoped(weights.manager(), call);
  }

  /** Runs a call whose result attaches to the manager of its input. */
  NDArray attached(NDArray input, Function<NDManager, NDArray> call) {
    return attached(input, ANY_WORK, call);
  }

  /** The same, where about how many multiplications it takes is known. */
  NDArray attached(NDArray input, long multiplications, Function<NDManager, NDArray> call) {
    NDManager owner = Objects.requireNonNull(input, "x").getManager();
    return scoped(owner, multiplications, scope -> keep(call.apply(scope), owner));
  }

  /** Hands an array to a manager. */
  static NDArray keep(NDArray array, NDManager owner) {
    array.attach(owner);
    return array;
  }

  static NDArray[] each(NDArray[] arrays, UnaryOperator<NDArray> change) {
    return Arrays.stream(arrays).map(change).toArray(NDArray[]::new);
  }

  /** Copies numbers of any type to Java memory. */
  static float[] floats(NDArray array) {
    return array.toType(DataType.FLOAT32, false).toFloatArray();
  }

  void requireOpen() {
    use().close();
  }

  private Weights.Use use() {
    if (viewClosed) {
      throw new IllegalStateException("this prefix view is closed; take a new one with prefix(w)");
    }
    return weights.use();
  }

  boolean isClosed() {
    return viewClosed || weights.isClosed();
  }

  /** Closes the view only, or the weights. */
  void close() {
    if (view) {
      viewClosed = true;
    } else {
      weights.close();
    }
  }
}
