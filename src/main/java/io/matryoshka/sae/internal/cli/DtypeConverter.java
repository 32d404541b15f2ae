package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.safetensors.Dtype;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the type of weights by the name that cfg.json uses. */
final class DtypeConverter implements ITypeConverter<Dtype> {

  private static final Map<String, Dtype> NAMES =
      new TreeMap<>(
          Map.of(
              "float32", Dtype.F32,
              "float64", Dtype.F64,
              "float16", Dtype.F16,
              "bfloat16", Dtype.BF16));

  @Override
  public Dtype convert(String value) {
    Dtype dtype = NAMES.get(value.toLowerCase(Locale.ROOT));
    if (dtype == null) {
      throw new TypeConversionException(
          "expected one of %s, got '%s'".formatted(String.join(", ", NAMES.keySet()), value));
    }
    return dtype;
  }

  /** The name of a type in cfg.json. */
  static String name(Dtype dtype) {
    return NAMES.entrySet().stream()
        .filter(e -> e.getValue() == dtype)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(dtype.name());
  }
}
