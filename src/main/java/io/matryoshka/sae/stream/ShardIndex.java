package io.matryoshka.sae.stream;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/** The entry of one finished shard in the index, read from the shard itself. */
record ShardIndex(
    Path file,
    long firstRow,
    long rows,
    long entries,
    long maskedRows,
    long nonFiniteRows,
    ObjectNode tensors,
    long sizeBytes) {

  static final String FIRST_ROW = "first_row";
  static final String MASKED_ROWS = "masked_rows";
  static final String NON_FINITE_ROWS = "non_finite_rows";

  /** Reads the header of a shard; empty if the file is missing, damaged or not the one expected. */
  static Optional<ShardIndex> read(Path path, long firstRow, long rows) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      ObjectNode tensors = JsonNodeFactory.instance.objectNode();
      for (TensorInfo tensor : file.tensors()) {
        ObjectNode json = tensors.putObject(tensor.name());
        json.put("dtype", numpyType(tensor.dtype()));
        json.put("offset", file.dataOffset() + tensor.begin());
        json.put("count", tensor.elementCount());
      }
      boolean fits =
          Long.toString(firstRow).equals(file.metadata().get(FIRST_ROW))
              && file.info("row_offsets").elementCount() == rows + 1;
      return fits
          ? Optional.of(
              new ShardIndex(
                  path,
                  firstRow,
                  rows,
                  file.info("latents").elementCount(),
                  Long.parseLong(file.metadata().get(MASKED_ROWS)),
                  Long.parseLong(file.metadata().get(NON_FINITE_ROWS)),
                  tensors,
                  file.fileSize()))
          : Optional.empty();
    } catch (NoSuchFileException | SafetensorsException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static String numpyType(Dtype dtype) {
    return switch (dtype) {
      case I64 -> "<i8";
      case I32 -> "<i4";
      default -> "<f4";
    };
  }

  ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("file", file.getFileName().toString());
    json.put(FIRST_ROW, firstRow);
    json.put("rows", rows);
    json.put("entries", entries);
    json.put(MASKED_ROWS, maskedRows);
    json.put(NON_FINITE_ROWS, nonFiniteRows);
    json.put("size_bytes", sizeBytes);
    json.set("tensors", tensors);
    return json;
  }
}
