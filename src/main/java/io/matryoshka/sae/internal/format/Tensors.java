package io.matryoshka.sae.internal.format;

import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.weights.StoredTensor;
import io.matryoshka.sae.internal.weights.TensorFile;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Finds the tensors of a format, with messages that name it.
 *
 * @param file the tensors under the names of the file
 * @param format the format in words
 */
record Tensors(TensorFile file, String format) {

  /** Returns a tensor that must be there, by any of its names. */
  StoredTensor get(String... names) throws SaeFormatException {
    for (String name : names) {
      if (file.find(name).isPresent()) {
        return file.find(name).get();
      }
    }
    throw new SaeFormatException(
        "%s: an SAE of %s has a tensor %s; this file has %s"
            .formatted(file.name(), format, String.join(" or ", names), names()));
  }

  /** Returns a matrix that must be there. */
  StoredTensor matrix(String... names) throws SaeFormatException {
    StoredTensor tensor = get(names);
    if (tensor.shape().length != 2) {
      throw new SaeFormatException(
          "%s: tensor %s: expected two dimensions, got %s"
              .formatted(file.name(), tensor.name(), Arrays.toString(tensor.shape())));
    }
    return tensor;
  }

  boolean has(String name) {
    return file.find(name).isPresent();
  }

  Set<String> names() {
    return file.tensors().stream()
        .map(StoredTensor::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Refuses tensors that the format does not have. */
  void requireOnly(Set<String> known) throws SaeFormatException {
    Set<String> others = names();
    others.removeAll(known);
    if (!others.isEmpty()) {
      throw new SaeFormatException(
          "%s: an SAE of %s has no tensors %s".formatted(file.name(), format, others));
    }
  }

  /** A dimension as a number of latents or of an activation. */
  int size(StoredTensor tensor, int axis) throws SaeFormatException {
    long size = tensor.shape()[axis];
    if (size < 1 || size > Integer.MAX_VALUE) {
      throw new SaeFormatException(
          "%s: tensor %s: expected dimensions of at least 1, got %s"
              .formatted(file.name(), tensor.name(), Arrays.toString(tensor.shape())));
    }
    return (int) size;
  }
}
