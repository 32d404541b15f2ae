package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Writes one float32 array in the format that the name of the file tells, part by part. */
interface ReconstructionWriter extends AutoCloseable {

  /** The tensor in a .safetensors file. */
  String TENSOR = "reconstructions";

  /** Adds values in row-major order. */
  void write(float[] values) throws IOException;

  /** Puts the file in place; without it, closing leaves nothing. */
  void finish() throws IOException;

  @Override
  void close() throws IOException;

  /** Begins a file, .npy or .safetensors. */
  static ReconstructionWriter create(Path target, long... shape) throws IOException {
    requireKnown(target);
    String name = target.getFileName().toString();
    if (name.endsWith(".npy")) {
      return new Npy(NpyWriter.create(target, shape));
    }
    return new Safetensors(
        SafetensorsWriter.builder().tensor(TENSOR, Dtype.F32, shape).create(target));
  }

  /** Checks that a file has a folder, and a name that tells a format. */
  static void requireKnown(Path target) throws NoSuchFileException {
    Path folder = target.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new NoSuchFileException(folder.toString(), null, "no such folder for --output");
    }
    String name = target.getFileName().toString();
    if (!name.endsWith(".npy") && !name.endsWith(".safetensors")) {
      throw new IllegalArgumentException(
          "--output: expected a name that ends in .npy or .safetensors, got '" + name + "'");
    }
  }

  /** A .npy file. */
  record Npy(NpyWriter writer) implements ReconstructionWriter {

    @Override
    public void write(float[] values) throws IOException {
      writer.write(values, 0, values.length);
    }

    @Override
    public void finish() throws IOException {
      writer.finish();
    }

    @Override
    public void close() throws IOException {
      writer.close();
    }
  }

  /** A .safetensors file. */
  record Safetensors(SafetensorsWriter writer) implements ReconstructionWriter {

    @Override
    public void write(float[] values) throws IOException {
      writer.writeFloats(TENSOR, values);
    }

    @Override
    public void finish() throws IOException {
      writer.finish();
    }

    @Override
    public void close() throws IOException {
      writer.close();
    }
  }
}
