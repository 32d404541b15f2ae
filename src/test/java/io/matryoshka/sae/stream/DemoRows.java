package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The bundled demo SAE and as many rows for it as a test wants. */
final class DemoRows {

  static final int D_IN = 384;
  private static final int GIVEN = 512;

  private DemoRows() {}

  static SAE sae() throws IOException {
    return SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state");
  }

  /** The held-out activations again and again, each time a little weaker. */
  static float[] rows(int first, int count) throws IOException {
    float[] given;
    try (SafetensorsFile file = SafetensorsFile.open(activations())) {
      given = file.readFloats("activations");
    }
    float[] rows = new float[count * D_IN];
    for (int i = 0; i < rows.length; i++) {
      int row = first + i / D_IN;
      rows[i] = given[row % GIVEN * D_IN + i % D_IN] * (1 - 0.01f * (row / GIVEN % 20));
    }
    return rows;
  }

  static Path activations() {
    try {
      return Path.of(
          DemoRows.class
              .getResource("/io/matryoshka/sae/releases/demo/activations.safetensors")
              .toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Writes rows from 0 on to files of the given sizes, .npy and .safetensors in turns. */
  static ActivationSource source(Path folder, int... sizes) throws IOException {
    Files.createDirectories(folder);
    List<Path> files = new ArrayList<>();
    int first = 0;
    for (int size : sizes) {
      float[] rows = rows(first, size);
      boolean npy = files.size() % 2 == 0;
      Path file = folder.resolve("part-" + files.size() + (npy ? ".npy" : ".safetensors"));
      if (npy) {
        try (NpyWriter writer = NpyWriter.create(file, size, D_IN)) {
          writer.write(rows, 0, rows.length);
          writer.finish();
        }
      } else {
        writeSafetensors(file, rows, size, D_IN);
      }
      files.add(file);
      first += size;
    }
    return ActivationSource.open(files);
  }

  static void writeSafetensors(Path file, float[] rows, long... shape) throws IOException {
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("acts", Dtype.F32, shape).create(file)) {
      writer.writeFloats("acts", rows);
      writer.finish();
    }
  }

  /** The content of every file of a run but its lock, as hash codes by name. */
  static Map<String, Integer> contents(Path folder) throws IOException {
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
