package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.model.Engines;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Loads an SAE and runs tokens through it, and tells after each step the resident memory of this
 * process and how long the step took. Arguments: SAE folder, file of tokens (float32), tokens at
 * once, forwards, and whether prepared data is kept on disk.
 *
 * <p>A line is {@code step seconds peak resident anonymous file}, in seconds and kilobytes.
 */
final class ResidentMain {

  private static long start;

  private ResidentMain() {}

  public static void main(String[] args) throws IOException {
    int rows = Integer.parseInt(args[2]);
    int forwards = Integer.parseInt(args[3]);
    LoadOptions options = LoadOptions.defaults().preparedCache(Boolean.parseBoolean(args[4]));
    try (NDManager manager = Engines.newManager(options.device());
        FileChannel tokens = FileChannel.open(Path.of(args[1]))) {
      NDArray one = manager.create(new float[] {1}, new Shape(1, 1));
      one.matMul(one).close();
      report("base");
      try (SAE sae = SAE.load(Path.of(args[0]), options)) {
        report("load");
        int dIn = sae.config().dIn();
        Shape shape = new Shape(rows, dIn);
        ByteBuffer block = ByteBuffer.allocateDirect(rows * dIn * Float.BYTES);
        block.order(ByteOrder.LITTLE_ENDIAN);
        for (int f = 0; f <= forwards; f++) {
          read(tokens, Math.max(0, f - 1), block);
          start = System.nanoTime();
          try (NDManager scope = manager.newSubManager()) {
            NDArray x = scope.create(block, shape, DataType.FLOAT32);
            if (f == 0) {
              sae.encodeSparse(x);
            } else {
              sae.forward(x);
            }
          }
          report(f == 0 ? "encode" : "forward" + f);
        }
      }
    }
  }

  private static void read(FileChannel tokens, int number, ByteBuffer block) throws IOException {
    block.clear();
    while (block.hasRemaining()) {
      tokens.read(block, (long) number * block.capacity() + block.position());
    }
    block.rewind();
  }

  private static void report(String step) throws IOException {
    double seconds = start == 0 ? 0 : (System.nanoTime() - start) / 1e9;
    List<String> status = Files.readAllLines(Path.of("/proc/self/status"));
    System.out.printf(
        Locale.ROOT,
        "%s %.3f %d %d %d %d%n",
        step,
        seconds,
        kilobytes(status, "VmHWM:"),
        kilobytes(status, "VmRSS:"),
        kilobytes(status, "RssAnon:"),
        kilobytes(status, "RssFile:"));
    start = System.nanoTime();
  }

  private static long kilobytes(List<String> status, String name) {
    return status.stream()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}
