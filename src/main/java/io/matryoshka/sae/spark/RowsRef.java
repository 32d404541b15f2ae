package io.matryoshka.sae.spark;

import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.io.Serializable;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/**
 * Rules on rows that travel to hosts.
 *
 * @param mask the file of the mask, empty if every row counts
 * @param tensor the tensor of the mask, empty for a {@code .npy} file
 * @param skipsNonFinite whether rows that cannot be encoded are left out
 */
record RowsRef(String mask, String tensor, boolean skipsNonFinite) implements Serializable {

  static RowsRef of(RowRules rules) {
    return new RowsRef(
        rules.mask().map(mask -> FileRef.of(mask.file()).uri()).orElse(""),
        rules.mask().map(RowMask::tensor).orElse(""),
        rules.skipsNonFinite());
  }

  RowRules open(Configuration hadoop) throws IOException {
    RowRules rules = RowRules.all().skipNonFinite(skipsNonFinite);
    if (mask.isEmpty()) {
      return rules;
    }
    Optional<String> name = tensor.isEmpty() ? Optional.empty() : Optional.of(tensor);
    return rules.mask(RowMask.open(new FileRef(mask).file(hadoop), name));
  }
}
