package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.internal.io.DiskFile;
import io.matryoshka.sae.store.StoredFile;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say which rows count, the same in every command that reads activations. */
final class RowsMixin {

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description =
          "One number or boolean per row, .npy or .safetensors: 0 leaves the row out, as padding or"
              + " a special token, 1 counts it.")
  private String mask;

  @Option(
      names = "--mask-tensor",
      paramLabel = "NAME",
      description = "Tensor in the mask's .safetensors file; default: its only one.")
  private String maskTensor;

  @Option(
      names = "--skip-non-finite",
      description =
          "Leave out and count rows that hold a NaN or an infinity, or become so when they are"
              + " normalised, instead of stopping there.")
  private boolean skipNonFinite;

  /** Finds a file by what a user writes. */
  @FunctionalInterface
  interface Files {
    StoredFile find(String name) throws IOException;
  }

  RowRules rules() throws IOException {
    return rules(name -> new DiskFile(Path.of(name)));
  }

  /** The rules, where files lie on another store. */
  RowRules rules(Files files) throws IOException {
    RowRules rules = RowRules.all().skipNonFinite(skipNonFinite);
    if (mask == null && maskTensor != null) {
      throw new IllegalArgumentException(
          "--mask-tensor: names a tensor of a mask, but there is none; give its file with --mask");
    }
    return mask == null ? rules : rules.mask(open(files.find(mask)));
  }

  private RowMask open(StoredFile file) throws IOException {
    RowMask opened = RowMask.open(file, Optional.ofNullable(maskTensor));
    if (maskTensor != null && opened.tensor().isEmpty()) {
      throw new IllegalArgumentException(
          "--mask-tensor: %s is a .npy file, which holds one array without a name; leave it out"
              .formatted(mask));
    }
    return opened;
  }
}
