package io.matryoshka.sae;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.model.RowScaling;
import io.matryoshka.sae.internal.model.Shapes;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** Sparse latents as a safetensors file, format version 1 of docs/data-formats.md. */
final class SparseLatentsFile {

  private static final String FORMAT = "matryoshka-sae/sparse-latents";
  private static final String VERSION = "1";
  private static final ObjectMapper JSON = new ObjectMapper();

  private SparseLatentsFile() {}

  static void write(SparseLatents latents, Path file) throws IOException {
    Csr csr = latents.csr();
    int n = csr.rows();
    int nnz = csr.latents().length;
    boolean scaled = !latents.scaling().isNone();
    SafetensorsWriter.Builder builder =
        declare(n, nnz, latents.width(), latents.leadingShape(), latents.tailShape(), scaled);
    try (SafetensorsWriter writer = builder.create(file)) {
      for (var tensor : writer.tensors()) {
        switch (tensor.name()) {
          case "row_offsets" ->
              writer.writeLongs(
                  "row_offsets", Arrays.stream(csr.rowOffsets()).asLongStream().toArray());
          case "latents" -> writer.writeInts("latents", csr.latents());
          case "values" -> writer.writeFloats("values", csr.values());
          case "scale" -> writer.writeFloats("scale", latents.scaling().scale());
          default -> writer.writeFloats("mean", latents.scaling().mean());
        }
      }
      writer.finish();
    }
  }

  /** Declares the tensors and the metadata of a file. */
  static SafetensorsWriter.Builder declare(
      long rows, long entries, int width, long[] leadingShape, long[] tailShape, boolean scaled) {
    SafetensorsWriter.Builder builder =
        SafetensorsWriter.builder()
            .tensor("row_offsets", Dtype.I64, rows + 1)
            .tensor("latents", Dtype.I32, entries)
            .tensor("values", Dtype.F32, entries)
            .metadata("format", FORMAT)
            .metadata("format_version", VERSION)
            .metadata("width", Integer.toString(width))
            .metadata("leading_shape", Arrays.toString(leadingShape))
            .metadata("tail_shape", Arrays.toString(tailShape));
    return scaled
        ? builder.tensor("scale", Dtype.F32, rows).tensor("mean", Dtype.F32, rows)
        : builder;
  }

  static SparseLatents read(Path path) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      Map<String, String> metadata = file.metadata();
      if (!FORMAT.equals(metadata.get("format"))
          || !VERSION.equals(metadata.get("format_version"))) {
        throw new SaeFormatException(
            path
                + ": expected a sparse latents file, format '"
                + FORMAT
                + "' version "
                + VERSION
                + ", got "
                + found(metadata)
                + "; encode activations to get one");
      }
      int[] offsets =
          Arrays.stream(file.readLongs("row_offsets")).mapToInt(Math::toIntExact).toArray();
      Csr csr = new Csr(offsets, file.readInts("latents"), file.readFloats("values"));
      int width = Integer.parseInt(metadata.getOrDefault("width", ""));
      SparseLatents.requireSorted(csr, width);
      long[] leading = shape(metadata, "leading_shape");
      long[] tail = shape(metadata, "tail_shape");
      if (Shapes.count(leading) != csr.rows()) {
        throw new IllegalArgumentException(
            "leading_shape "
                + Arrays.toString(leading)
                + " is not that of "
                + csr.rows()
                + " rows");
      }
      return new SparseLatents(csr, Levels.ofOne(width), leading, tail, scaling(file, csr.rows()));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new SaeFormatException(
          path + ": malformed sparse latents file: " + e.getMessage() + "; write it again", e);
    }
  }

  private static String found(Map<String, String> metadata) {
    return metadata.containsKey("format")
        ? "'%s' version %s".formatted(metadata.get("format"), metadata.get("format_version"))
        : "a file of other tensors, such as activations";
  }

  private static RowScaling scaling(SafetensorsFile file, int rows)
      throws SafetensorsException, IOException {
    if (!file.names().contains("scale")) {
      return RowScaling.NONE;
    }
    RowScaling scaling = new RowScaling(file.readFloats("scale"), file.readFloats("mean"));
    if (scaling.scale().length != rows || scaling.mean().length != rows) {
      throw new IllegalArgumentException("scale and mean must have " + rows + " entries");
    }
    return scaling;
  }

  private static long[] shape(Map<String, String> metadata, String key) {
    try {
      return JSON.readValue(metadata.getOrDefault(key, "[]"), long[].class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(key + " is not a JSON array of integers", e);
    }
  }
}
