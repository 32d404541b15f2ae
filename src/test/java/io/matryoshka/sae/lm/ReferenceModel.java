package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A small random model and what transformers computes with it; see make.py beside the files. */
final class ReferenceModel implements AutoCloseable {

  /** Of the largest value of a tensor: float32 sums in another order differ by less. */
  static final double TOLERANCE = 1e-5;

  static final Path FOLDER = SourceFiles.PROJECT.resolve("src/test/resources/lm/reference");

  private final SafetensorsFile values;

  private ReferenceModel(SafetensorsFile values) {
    this.values = values;
  }

  static ReferenceModel open(String name) throws IOException {
    return new ReferenceModel(
        SafetensorsFile.open(FOLDER.resolve(name + ".reference.safetensors")));
  }

  static Path folder(String name) {
    return FOLDER.resolve(name);
  }

  /** The two texts. */
  List<Tokens> texts() throws IOException {
    int[] ids = values.readInts("ids");
    int length = (int) values.info("ids").shape()[1];
    List<Tokens> texts = new ArrayList<>();
    for (int i = 0; i < ids.length; i += length) {
      texts.add(Tokens.of(Arrays.copyOfRange(ids, i, i + length)));
    }
    return texts;
  }

  SafetensorsFile values() {
    return values;
  }

  float[] floats(String name) throws IOException {
    return values.readFloats(name);
  }

  boolean has(String name) {
    return values.find(name).isPresent();
  }

  static void assertClose(String what, NDArray actual, float[] expected) {
    assertClose(what, actual.toFloatArray(), expected);
  }

  static void assertClose(String what, float[] actual, float[] expected) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      double d = Math.abs((double) actual[i] - expected[i]);
      difference = d <= difference ? difference : d;
    }
    assertThat(difference / largest).as(what).isLessThanOrEqualTo(TOLERANCE);
  }

  static float[] narrow(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }

  @Override
  public void close() throws IOException {
    values.close();
  }
}
