package io.matryoshka.sae.stream;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.TensorInfo;
import io.matryoshka.sae.store.StoredFile;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One finished file of an {@link EncodePlan}, as {@code index.json} describes it.
 *
 * @param fileName the name within the folder
 * @param firstRow index of its first row within the whole source
 * @param rows number of rows
 * @param entries active latents of all rows
 * @param maskedRows rows that the mask left out, stored without latents
 * @param nonFiniteRows other rows that could not be encoded, stored without latents
 * @param sizeBytes the size of the file
 * @param tensors where its arrays lie, in the order of their bytes
 * @serial exclude
 */
public record EncodedShard(
    String fileName,
    long firstRow,
    long rows,
    long entries,
    long maskedRows,
    long nonFiniteRows,
    long sizeBytes,
    List<Array> tensors)
    implements Serializable {

  static final String FIRST_ROW = "first_row";
  static final String MASKED_ROWS = "masked_rows";
  static final String NON_FINITE_ROWS = "non_finite_rows";

  /**
   * An array within the file, to be read without a reader of safetensors.
   *
   * @param name the name of the tensor
   * @param dtype the element type as NumPy calls it, such as {@code <i4}
   * @param offset the position of the first element in bytes
   * @param count the number of elements
   * @serial exclude
   */
  public record Array(String name, String dtype, long offset, long count) implements Serializable {

    private static Array of(TensorInfo tensor, long bodyOffset) {
      return new Array(
          tensor.name(),
          numpyType(tensor.dtype()),
          bodyOffset + tensor.begin(),
          tensor.elementCount());
    }

    private static String numpyType(Dtype dtype) {
      return switch (dtype) {
        case I64 -> "<i8";
        case I32 -> "<i4";
        default -> "<f4";
      };
    }
  }

  /**
   * Copies the list.
   *
   * @param fileName the name within the folder
   * @param firstRow index of its first row within the whole source
   * @param rows number of rows
   * @param entries active latents of all rows
   * @param maskedRows rows that the mask left out
   * @param nonFiniteRows other rows that could not be encoded
   * @param sizeBytes the size of the file
   * @param tensors where its arrays lie
   */
  public EncodedShard {
    Objects.requireNonNull(fileName, "fileName");
    tensors = List.copyOf(tensors);
  }

  /** Reads the header of a file; empty if it is missing, damaged or not the one expected. */
  static Optional<EncodedShard> read(StoredFile stored, long firstRow, long rows)
      throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(stored.open())) {
      boolean fits =
          Long.toString(firstRow).equals(file.metadata().get(FIRST_ROW))
              && file.info("row_offsets").elementCount() == rows + 1;
      return fits
          ? Optional.of(
              new EncodedShard(
                  stored.fileName(),
                  firstRow,
                  rows,
                  file.info("latents").elementCount(),
                  Long.parseLong(file.metadata().get(MASKED_ROWS)),
                  Long.parseLong(file.metadata().get(NON_FINITE_ROWS)),
                  file.fileSize(),
                  file.tensors().stream().map(t -> Array.of(t, file.dataOffset())).toList()))
          : Optional.empty();
    } catch (NoSuchFileException | SafetensorsException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("file", fileName);
    json.put(FIRST_ROW, firstRow);
    json.put("rows", rows);
    json.put("entries", entries);
    json.put(MASKED_ROWS, maskedRows);
    json.put(NON_FINITE_ROWS, nonFiniteRows);
    json.put("size_bytes", sizeBytes);
    ObjectNode places = json.putObject("tensors");
    for (Array tensor : tensors) {
      ObjectNode place = places.putObject(tensor.name());
      place.put("dtype", tensor.dtype());
      place.put("offset", tensor.offset());
      place.put("count", tensor.count());
    }
    return json;
  }
}
