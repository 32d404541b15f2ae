package io.matryoshka.sae.internal.spark.store;

import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import java.io.IOException;
import java.io.Serializable;
import org.apache.hadoop.conf.Configuration;

/**
 * Rules on rows that travel to hosts.
 *
 * @param mask the file of the mask, empty if every row counts
 * @param tensor the tensor of the mask, empty for a {@code .npy} file
 * @param rows elements of the mask
 * @param kept rows that it keeps, so that no host reads the whole mask to count them
 * @param skipsNonFinite whether rows that cannot be encoded are left out
 */
public record RowsRef(String mask, String tensor, long rows, long kept, boolean skipsNonFinite)
    implements Serializable {

  public static RowsRef of(RowRules rules) throws IOException {
    if (rules.mask().isEmpty()) {
      return new RowsRef("", "", 0, 0, rules.skipsNonFinite());
    }
    RowMask mask = rules.mask().get();
    return new RowsRef(
        FileRef.of(mask.file()).uri(),
        mask.tensor(),
        mask.rows(),
        mask.countKept(),
        rules.skipsNonFinite());
  }

  public RowRules open(Configuration hadoop) {
    RowRules rules = RowRules.all().skipNonFinite(skipsNonFinite);
    return mask.isEmpty()
        ? rules
        : rules.mask(RowMask.of(new FileRef(mask).file(hadoop), tensor, rows, kept));
  }
}
