package io.matryoshka.sae.spark.support;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.spark.SaeRef;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The bundled demo SAE, files of activations for it, and what a run has written. */
public final class SparkRows {

  public static final String RELEASE = "all-minilm-l6-v2-matryoshka-demo";
  public static final String SAE_ID = "last_hidden_state";
  public static final int D_IN = 384;
  private static final int GIVEN = 512;

  private SparkRows() {}

  public static SAE sae() throws IOException {
    return SAE.fromPretrained(RELEASE, SAE_ID);
  }

  public static SaeRef ref() {
    return SaeRef.of(RELEASE, SAE_ID);
  }

  /** The held-out activations again and again, each time a little weaker. */
  public static float[] rows(int first, int count) throws IOException {
    float[] given = given();
    float[] rows = new float[count * D_IN];
    for (int i = 0; i < rows.length; i++) {
      int row = first + i / D_IN;
      rows[i] = given[row % GIVEN * D_IN + i % D_IN] * (1 - 0.01f * (row / GIVEN % 20));
    }
    return rows;
  }

  private static float[] given() throws IOException {
    try {
      Path file =
          Path.of(
              Objects.requireNonNull(
                      SparkRows.class.getResource(
                          "/io/matryoshka/sae/releases/demo/activations.safetensors"))
                  .toURI());
      try (SafetensorsFile activations = SafetensorsFile.open(file)) {
        return activations.readFloats("activations");
      }
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Writes rows from 0 on to files of the given sizes, .npy and .safetensors in turns. */
  public static Path write(Path folder, int... sizes) throws IOException {
    Files.createDirectories(folder);
    int first = 0;
    for (int i = 0; i < sizes.length; i++) {
      write(folder, i, rows(first, sizes[i]));
      first += sizes[i];
    }
    return folder;
  }

  /** Writes one of these files, whose form goes by its number. */
  public static Path write(Path folder, int number, float[] rows) throws IOException {
    boolean npy = number % 2 == 0;
    Path file = folder.resolve("part-" + number + (npy ? ".npy" : ".safetensors"));
    long count = rows.length / D_IN;
    if (npy) {
      try (NpyWriter writer = NpyWriter.create(file, count, D_IN)) {
        writer.write(rows, 0, rows.length);
        writer.finish();
      }
    } else {
      try (SafetensorsWriter writer =
          SafetensorsWriter.builder().tensor("acts", Dtype.F32, count, D_IN).create(file)) {
        writer.writeFloats("acts", rows);
        writer.finish();
      }
    }
    return file;
  }

  /** The content of every file of a run but its lock, as hash codes by name. */
  public static Map<String, Integer> contents(Path folder) throws IOException {
    Map<String, Integer> contents = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (!file.getFileName().toString().equals(".lock")) {
          contents.put(file.getFileName().toString(), Arrays.hashCode(Files.readAllBytes(file)));
        }
      }
    }
    return contents;
  }
}
