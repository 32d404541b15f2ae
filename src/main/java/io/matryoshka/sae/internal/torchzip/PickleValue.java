package io.matryoshka.sae.internal.torchzip;

import io.matryoshka.sae.safetensors.Dtype;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a pickle can build. */
sealed interface PickleValue {

  /** A text. */
  record Text(String value) implements PickleValue {}

  /** An integer of up to 64 bits. */
  record Whole(long value) implements PickleValue {}

  /** A value that no tensor needs: None, a boolean or a float. */
  enum Other implements PickleValue {
    NONE,
    TRUE,
    FALSE,
    FLOAT
  }

  /** The start of a tuple or of several entries. */
  enum Mark implements PickleValue {
    MARK
  }

  /** A name of Python. */
  record Name(PickleGlobal global) implements PickleValue {}

  /** A tuple or list. */
  record Sequence(List<PickleValue> items, boolean isTuple) implements PickleValue {

    static Sequence list() {
      return new Sequence(new ArrayList<>(2), false);
    }

    @Override
    public String toString() {
      return (isTuple ? "a tuple of " : "a list of ") + items.size();
    }
  }

  /** A dictionary, or an ordered one. */
  record Dictionary(Map<String, PickleValue> entries) implements PickleValue {

    static Dictionary empty() {
      return new Dictionary(new LinkedHashMap<>(4));
    }

    @Override
    public String toString() {
      return "a dictionary of " + entries.size();
    }
  }

  /**
   * A run of elements in a member of the archive.
   *
   * @param dtype the element type; U8 for an untyped storage
   * @param typed whether the dtype is that of its tensors
   * @param key the name of the member below {@code data/}
   * @param count the number of elements
   */
  record Storage(Dtype dtype, boolean typed, String key, long count) implements PickleValue {}

  /**
   * A view of a storage.
   *
   * @param storage the elements
   * @param dtype the element type
   * @param offset the first element
   * @param shape the dimensions
   * @param strides the distance of neighbours along each dimension, in elements
   */
  record Tensor(Storage storage, Dtype dtype, long offset, long[] shape, long[] strides)
      implements PickleValue {}
}
