package io.matryoshka.sae.internal.torchzip;

import io.matryoshka.sae.internal.torchzip.PickleStack.Fault;
import io.matryoshka.sae.internal.torchzip.PickleValue.Dictionary;
import io.matryoshka.sae.internal.torchzip.PickleValue.Name;
import io.matryoshka.sae.internal.torchzip.PickleValue.Sequence;
import io.matryoshka.sae.internal.torchzip.PickleValue.Storage;
import io.matryoshka.sae.internal.torchzip.PickleValue.Tensor;
import io.matryoshka.sae.internal.torchzip.PickleValue.Text;
import io.matryoshka.sae.internal.torchzip.PickleValue.Whole;
import io.matryoshka.sae.safetensors.Dtype;
import java.util.List;

/** Builds the descriptions that the names of {@link PickleGlobal} stand for. */
final class PickleBuilder {

  private static final int MAX_RANK = 64;

  private PickleBuilder() {}

  /** From {@code ('storage', type, key, location, number of elements)}. */
  static Storage storage(PickleValue value) throws Fault {
    if (value instanceof Sequence id
        && id.items().size() == 5
        && id.items().get(0) instanceof Text kind
        && kind.value().equals("storage")
        && id.items().get(1) instanceof Name type
        && type.global().isStorage()
        && id.items().get(2) instanceof Text key
        && id.items().get(4) instanceof Whole count) {
      boolean typed = type.global() != PickleGlobal.UNTYPED_STORAGE;
      Dtype dtype = type.global().dtype().orElseThrow();
      return new Storage(dtype, typed, key.value(), count.value());
    }
    throw new Fault("a persistent id that is no storage");
  }

  /** The result of a call of a name with a tuple of arguments. */
  static PickleValue call(List<PickleValue> nameAndArguments) throws Fault {
    if (nameAndArguments.get(0) instanceof Name name
        && nameAndArguments.get(1) instanceof Sequence arguments
        && arguments.isTuple()) {
      return call(name.global(), arguments.items());
    }
    throw new Fault("a call of what is no name");
  }

  private static PickleValue call(PickleGlobal name, List<PickleValue> arguments) throws Fault {
    return switch (name) {
      case ORDERED_DICT -> emptyDictionary(arguments);
      case REBUILD_TENSOR -> tensor(name, arguments, 6);
      case REBUILD_TYPED_TENSOR -> tensor(name, arguments, 7);
      case REBUILD_PARAMETER -> parameter(arguments);
      default -> throw new Fault("a call of " + name + ", which is no function");
    };
  }

  private static Dictionary emptyDictionary(List<PickleValue> arguments) throws Fault {
    if (!arguments.isEmpty()) {
      throw new Fault("an ordered dictionary made with arguments");
    }
    return Dictionary.empty();
  }

  /** From {@code (storage, offset, shape, strides, requires_grad, hooks[, dtype][, metadata])}. */
  private static Tensor tensor(PickleGlobal name, List<PickleValue> arguments, int least)
      throws Fault {
    if (arguments.size() < least
        || arguments.size() > least + 1
        || !(arguments.get(0) instanceof Storage storage)
        || !(arguments.get(1) instanceof Whole offset)) {
      throw new Fault(
          "a tensor with other arguments than a storage, an offset, a shape and strides");
    }
    Dtype dtype = storage.dtype();
    if (name == PickleGlobal.REBUILD_TYPED_TENSOR) {
      dtype = dtype(arguments.get(6));
    }
    if (!storage.typed() && name == PickleGlobal.REBUILD_TENSOR) {
      throw new Fault("a tensor over an untyped storage without a dtype");
    }
    return new Tensor(
        storage, dtype, offset.value(), sizes(arguments.get(2)), sizes(arguments.get(3)));
  }

  private static Dtype dtype(PickleValue value) throws Fault {
    if (value instanceof Name name && !name.global().isStorage()) {
      return name.global().dtype().orElseThrow(() -> new Fault("a dtype that is none"));
    }
    throw new Fault("a dtype that is none");
  }

  private static long[] sizes(PickleValue value) throws Fault {
    if (!(value instanceof Sequence tuple) || tuple.items().size() > MAX_RANK) {
      throw new Fault("a shape that is no tuple of at most " + MAX_RANK + " integers");
    }
    long[] sizes = new long[tuple.items().size()];
    for (int i = 0; i < sizes.length; i++) {
      if (!(tuple.items().get(i) instanceof Whole size)) {
        throw new Fault("a shape that is no tuple of integers");
      }
      sizes[i] = size.value();
    }
    return sizes;
  }

  private static PickleValue parameter(List<PickleValue> arguments) throws Fault {
    if (arguments.size() != 3 || !(arguments.get(0) instanceof Tensor tensor)) {
      throw new Fault("a parameter with other arguments than a tensor, requires_grad and hooks");
    }
    return tensor;
  }

  /** A state_dict carries its format's version as an attribute, which is of no use here. */
  static void requireAttributes(PickleValue attributes, PickleValue target) throws Fault {
    if (!(attributes instanceof Dictionary) || !(target instanceof Dictionary)) {
      throw new Fault("attributes of what is no dictionary");
    }
  }
}
