package io.matryoshka.sae.internal.weights;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.internal.filetype.ForeignFormat;
import io.matryoshka.sae.safetensors.Dtype;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The tensors that the weights of an SAE must have, and their shapes. */
public final class WeightSchema {

  private static final List<Dtype> FLOATS = List.of(Dtype.F32, Dtype.F64, Dtype.F16, Dtype.BF16);

  private WeightSchema() {}

  /** Checks names, shapes and types against the configuration. */
  public static void check(List<StoredTensor> tensors, SaeConfig config, String source)
      throws SaeFormatException {
    Map<String, StoredTensor> found =
        tensors.stream().collect(Collectors.toMap(StoredTensor::name, tensor -> tensor));
    Map<String, long[]> expected = config.architecture().tensors(config, found.keySet());
    TreeSet<String> missing = new TreeSet<>(expected.keySet());
    missing.removeAll(found.keySet());
    TreeSet<String> extra = new TreeSet<>(found.keySet());
    extra.removeAll(expected.keySet());
    extra.remove(TensorNames.SCALING_FACTOR);
    if (!missing.isEmpty() || !extra.isEmpty()) {
      Optional<ForeignFormat> foreign = ForeignFormat.ofTensors(found.keySet());
      if (foreign.isPresent()) {
        throw new SaeFormatException(source + ": " + foreign.get().message());
      }
      throw new SaeFormatException(
          source
              + ": a "
              + config.architecture().key()
              + " SAE has the tensors "
              + expected.keySet()
              + "; missing "
              + missing
              + ", unexpected "
              + extra
              + "; check the architecture in cfg.json");
    }
    for (Map.Entry<String, long[]> entry : expected.entrySet()) {
      check(found.get(entry.getKey()), entry.getValue(), config, source);
    }
  }

  private static void check(StoredTensor info, long[] shape, SaeConfig config, String source)
      throws SaeFormatException {
    if (!Arrays.equals(info.shape(), shape)) {
      throw new SaeFormatException(
          source
              + ": tensor "
              + info.name()
              + ": expected shape "
              + Arrays.toString(shape)
              + " from cfg.json (d_in "
              + config.dIn()
              + ", d_sae "
              + config.dSae()
              + "), got "
              + Arrays.toString(info.shape())
              + "; cfg.json and the weights must be of the same SAE");
    }
    if (!FLOATS.contains(info.dtype())) {
      throw new SaeFormatException(
          source
              + ": tensor "
              + info.name()
              + ": expected a floating type (F32, F64, F16, BF16), got "
              + info.dtype()
              + "; save the weights in one of these");
    }
  }
}
