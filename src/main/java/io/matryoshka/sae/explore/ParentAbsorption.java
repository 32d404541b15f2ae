package io.matryoshka.sae.explore;

import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.internal.state.StateReader;
import io.matryoshka.sae.internal.state.StateWriter;
import io.matryoshka.sae.stream.StateException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;

/** The sums of {@link AbsorptionCheck} for one parent. Used by one thread at a time. */
final class ParentAbsorption {

  private final int parent;
  private final int firstChild;
  private final float[] direction;
  private final double norm;

  /** Least projection of a token that counts; NaN, so that none does, if the parent never fired. */
  private final double floor;

  /** {@code W_dec[i] . u} and cosine for every latent. */
  private final float[] products;

  private final float[] cosines;

  private final Map<Integer, Long> topChildren = new TreeMap<>();
  private long tokens;
  private long silent;
  private long full;
  private double fractions;

  /** The largest contributions of children on the current token, falling. */
  private final double[] largest = new double[AbsorptionCheck.MAX_CHILDREN];

  private int largestChild;

  /** The largest contribution of any child with the lower bound on the cosine. */
  private double fullContribution;

  ParentAbsorption(int parent, int firstChild, float[] direction, int dSae, double mean) {
    this.parent = parent;
    this.firstChild = firstChild;
    this.direction = direction;
    norm = Math.sqrt(UnitRows.dot(direction, 0, direction, 0, direction.length));
    floor = firstChild < dSae ? mean * norm : Double.NaN;
    products = new float[dSae];
    cosines = new float[dSae];
  }

  void putProducts(float[] rows, int first, int count) {
    int dIn = direction.length;
    for (int i = 0; i < count; i++) {
      double product = UnitRows.dot(rows, i, direction, 0, dIn) / norm;
      products[first + i] = (float) product;
      cosines[first + i] = (float) (product / Math.sqrt(UnitRows.dot(rows, i, rows, i, dIn)));
    }
  }

  void add(float[] centred, SparseLatents latents, BitSet leftOut) {
    for (int row = leftOut.nextClearBit(0);
        row < latents.rows();
        row = leftOut.nextClearBit(row + 1)) {
      double projection = UnitRows.dot(centred, row, direction, 0, direction.length) / norm;
      if (projection >= floor) {
        addToken(projection, latents, row);
      }
    }
  }

  private void addToken(double projection, SparseLatents latents, int row) {
    Arrays.fill(largest, 0);
    largestChild = -1;
    fullContribution = 0;
    latents.forEach(row, this::addChild);
    float activation = latents.activation(row, parent);
    double main = activation * products[parent];
    double absorbed = largest[0] + largest[1] + largest[2];
    double fraction = fraction(projection, main, absorbed);
    tokens++;
    fractions += fraction;
    if (fraction > 0) {
      topChildren.merge(largestChild, 1L, Long::sum);
    }
    if (activation < AbsorptionCheck.SILENT) {
      silent++;
      if (fullContribution > 0 && fullContribution >= AbsorptionCheck.MIN_SHARE * projection) {
        full++;
      }
    }
  }

  private void addChild(int latent, float activation) {
    if (latent < firstChild) {
      return;
    }
    double contribution = (double) activation * products[latent];
    if (cosines[latent] >= AbsorptionCheck.MIN_FULL_COSINE) {
      fullContribution = Math.max(fullContribution, contribution);
    }
    if (cosines[latent] < AbsorptionCheck.MIN_COSINE) {
      return;
    }
    if (contribution > largest[0]) {
      largestChild = latent;
    }
    for (int i = 0; i < largest.length; i++) {
      if (contribution > largest[i]) {
        double smaller = largest[i];
        largest[i] = contribution;
        contribution = smaller;
      }
    }
  }

  /** The rule of SAEBench; see {@link AbsorptionCheck}. */
  static double fraction(double projection, double main, double absorbed) {
    if (main >= projection || absorbed / projection < AbsorptionCheck.MIN_SHARE) {
      return 0;
    }
    if (main <= 0) {
      return 1;
    }
    double part = Math.min(absorbed, projection - main);
    return part / (part + main);
  }

  /** Adds the tokens of other rows, counted for the same parent. */
  void merge(ParentAbsorption other) {
    tokens += other.tokens;
    silent += other.silent;
    full += other.full;
    fractions += other.fractions;
    other.topChildren.forEach((child, count) -> topChildren.merge(child, count, Long::sum));
  }

  boolean isOf(ParentAbsorption other) {
    return parent == other.parent
        && firstChild == other.firstChild
        && Double.compare(floor, other.floor) == 0;
  }

  void writeTo(StateWriter out) {
    out.add(tokens);
    out.add(silent);
    out.add(full);
    out.add(fractions);
    out.add(topChildren.size());
    topChildren.forEach(
        (child, count) -> {
          out.add((int) child);
          out.add((long) count);
        });
  }

  void mergeFrom(StateReader in) throws StateException {
    tokens += in.nextLong();
    silent += in.nextLong();
    full += in.nextLong();
    fractions += in.nextDouble();
    for (int children = in.nextCount(products.length); children > 0; children--) {
      topChildren.merge(in.nextInt(), in.nextLong(), Long::sum);
    }
  }

  Absorption result() {
    int child = -1;
    long most = 0;
    for (Map.Entry<Integer, Long> entry : topChildren.entrySet()) {
      if (entry.getValue() > most) {
        child = entry.getKey();
        most = entry.getValue();
      }
    }
    return new Absorption(
        parent, tokens, silent, fractions / tokens, (double) full / tokens, child, most);
  }
}
