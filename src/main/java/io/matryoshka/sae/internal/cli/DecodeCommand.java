package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.RowFaults;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Turns sparse latents into reconstructions. */
@Command(
    name = "decode",
    description = "Decodes sparse latents to reconstructions of the model activations, in float32.",
    footer = {
      "",
      "Example:",
      "  matryoshka-sae decode --dir my-sae -i latents.safetensors -o reconstructions.npy"
    })
final class DecodeCommand implements Callable<Integer> {

  private static final int BATCH_ROWS = 4096;

  @Mixin private LoadMixin load;

  @Option(
      names = {"-i", "--input"},
      paramLabel = "PATH",
      required = true,
      description =
          "Sparse latents of this SAE: a .safetensors file, or the folder of an encode run; - is"
              + " standard input.")
  private Path input;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description =
          "Reconstructions: an array in a .npy file, or the tensor 'reconstructions' in a"
              + " .safetensors file. Replaced in one step when all is written.")
  private Path target;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    ReconstructionWriter.requireKnown(target);
    Output.requireWritable(target);
    LatentFiles latents = LatentFiles.of(StandardInput.resolve(input));
    try (SAE sae = load.open(output)) {
      long[] shape = shape(latents, sae.dOut());
      try (ReconstructionWriter writer = ReconstructionWriter.create(target, shape);
          Progress progress = output.progress("decode", "tokens", latents.rows())) {
        long done = 0;
        for (Path file : latents.files()) {
          done = decode(SparseLatents.load(file), sae, writer, progress, done);
        }
        writer.finish();
      }
      report(shape);
      if (sae.config().architecture().hasSkip()) {
        output.note(
            "the skip connection of this transcoder is not in the reconstructions: it needs the"
                + " activations, and latents do not hold them");
      }
    }
    return ExitCode.OK.code();
  }

  private static long decode(
      SparseLatents latents, SAE sae, ReconstructionWriter writer, Progress progress, long done)
      throws IOException {
    for (int row = 0; row < latents.rows(); row += BATCH_ROWS) {
      int end = Math.min(latents.rows(), row + BATCH_ROWS);
      requireFinite(latents, row, end, done);
      float[] reconstructions = sae.decode(latents.rows(row, end));
      requireFinite(reconstructions, sae.dOut(), done + row);
      writer.write(reconstructions);
      progress.stepTo(done + end);
    }
    return done + latents.rows();
  }

  private static void requireFinite(SparseLatents latents, int from, int to, long done)
      throws ActivationException {
    for (int row = from; row < to; row++) {
      if (RowFaults.after(latents, row).isPresent()) {
        throw new ActivationException(
            "row %d has latents that are NaN or infinite; encode the activations again"
                .formatted(done + row));
      }
    }
  }

  /** Checks results, too: sums of finite latents may pass the largest float. */
  private static void requireFinite(float[] reconstructions, int dOut, long firstRow)
      throws ActivationException {
    for (int i = 0; i < reconstructions.length; i++) {
      if (!Float.isFinite(reconstructions[i])) {
        throw new ActivationException(
            ("row %d: its reconstruction is NaN or infinite, as its latents are too large for"
                    + " float32; check that they are latents of this SAE")
                .formatted(firstRow + i / dOut));
      }
    }
  }

  /** The shape of the input without its width, then d_out, which is d_in but for transcoders. */
  private static long[] shape(LatentFiles latents, int dOut) {
    long[] leading = latents.shape();
    long[] shape = Arrays.copyOf(leading, leading.length + 1);
    shape[leading.length] = dOut;
    return shape;
  }

  private void report(long[] shape) {
    if (output.isJson()) {
      var result = Output.object().put("output", target.toString());
      Arrays.stream(shape).forEach(result.putArray("shape")::add);
      output.json(result);
    } else {
      output.line("wrote " + target + ": reconstructions " + Arrays.toString(shape) + " float32");
    }
  }
}
