package io.matryoshka.sae.internal.torchzip;

import io.matryoshka.sae.safetensors.Dtype;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The names of Python that a pickle may mention. Each stands for a description; none is called. */
enum PickleGlobal {
  ORDERED_DICT("collections OrderedDict"),
  REBUILD_TENSOR("torch._utils _rebuild_tensor_v2"),
  REBUILD_TYPED_TENSOR("torch._utils _rebuild_tensor_v3"),
  REBUILD_PARAMETER("torch._utils _rebuild_parameter"),

  FLOAT_STORAGE("torch FloatStorage", Dtype.F32),
  DOUBLE_STORAGE("torch DoubleStorage", Dtype.F64),
  HALF_STORAGE("torch HalfStorage", Dtype.F16),
  BFLOAT16_STORAGE("torch BFloat16Storage", Dtype.BF16),
  LONG_STORAGE("torch LongStorage", Dtype.I64),
  INT_STORAGE("torch IntStorage", Dtype.I32),
  SHORT_STORAGE("torch ShortStorage", Dtype.I16),
  CHAR_STORAGE("torch CharStorage", Dtype.I8),
  BYTE_STORAGE("torch ByteStorage", Dtype.U8),
  BOOL_STORAGE("torch BoolStorage", Dtype.BOOL),
  UNTYPED_STORAGE("torch.storage UntypedStorage", Dtype.U8),

  FLOAT32("torch float32", Dtype.F32),
  FLOAT64("torch float64", Dtype.F64),
  FLOAT16("torch float16", Dtype.F16),
  BFLOAT16("torch bfloat16", Dtype.BF16),
  INT64("torch int64", Dtype.I64),
  INT32("torch int32", Dtype.I32),
  INT16("torch int16", Dtype.I16),
  INT8("torch int8", Dtype.I8),
  UINT8("torch uint8", Dtype.U8),
  UINT16("torch uint16", Dtype.U16),
  UINT32("torch uint32", Dtype.U32),
  UINT64("torch uint64", Dtype.U64),
  BOOL("torch bool", Dtype.BOOL);

  private static final Map<String, PickleGlobal> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toMap(g -> g.pythonName, Function.identity()));

  private final String pythonName;
  private final Optional<Dtype> dtype;

  PickleGlobal(String pythonName) {
    this.pythonName = pythonName;
    this.dtype = Optional.empty();
  }

  PickleGlobal(String pythonName, Dtype dtype) {
    this.pythonName = pythonName;
    this.dtype = Optional.of(dtype);
  }

  /** The element type of a storage or a dtype. */
  Optional<Dtype> dtype() {
    return dtype;
  }

  boolean isStorage() {
    return pythonName.endsWith("Storage");
  }

  static Optional<PickleGlobal> find(String module, String name) {
    return Optional.ofNullable(BY_NAME.get(module + " " + name));
  }
}
