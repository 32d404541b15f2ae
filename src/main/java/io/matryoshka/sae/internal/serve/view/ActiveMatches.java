package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which active latents of two readings of a text belong together: for each of the one the nearest
 * of the other by the cosine of their decoder rows, in double precision.
 */
final class ActiveMatches {

  private static final Comparator<Match> NEAREST =
      Comparator.comparingDouble((Match match) -> -match.cosine()).thenComparing(Match::left);

  private ActiveMatches() {}

  private record Match(int left, int right, double cosine, boolean mutual) {}

  /** The active latents of a reading: the tokens of each, and its direction of length 1. */
  private record Active(List<Integer> latents, List<BitSet> tokens, List<double[]> directions) {

    static Active of(Reading reading) {
      SparseLatents found = reading.latents();
      SortedMap<Integer, BitSet> tokens = new TreeMap<>();
      for (int row = 0; row < found.rows(); row++) {
        int token = row;
        found.forEach(
            row, (latent, a) -> tokens.computeIfAbsent(latent, l -> new BitSet()).set(token));
      }
      List<double[]> directions =
          tokens.keySet().stream().map(latent -> direction(reading.sae(), latent)).toList();
      return new Active(List.copyOf(tokens.keySet()), List.copyOf(tokens.values()), directions);
    }

    private static double[] direction(SAE sae, int latent) {
      float[] row = sae.decoderRows(latent, latent + 1);
      double[] direction = new double[row.length];
      double square = 0;
      for (float value : row) {
        square += (double) value * value;
      }
      for (int i = 0; i < row.length && square > 0; i++) {
        direction[i] = row[i] / Math.sqrt(square);
      }
      return direction;
    }

    /** The place of the nearest direction, the first of equal ones. */
    int nearest(double[] direction) {
      int best = 0;
      double most = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < directions.size(); i++) {
        double cosine = dot(direction, directions.get(i));
        if (cosine > most) {
          most = cosine;
          best = i;
        }
      }
      return best;
    }
  }

  private static double dot(double[] one, double[] other) {
    double sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += one[i] * other[i];
    }
    return sum;
  }

  static ArrayNode of(Reading left, Reading right) {
    ArrayNode array = Json.array();
    if (left.sae().dOut() != right.sae().dOut()) {
      return array;
    }
    Active one = Active.of(left);
    Active other = Active.of(right);
    for (Match match : matches(one, other)) {
      BitSet ofLeft = one.tokens().get(match.left());
      BitSet ofRight = other.tokens().get(match.right());
      BitSet both = (BitSet) ofLeft.clone();
      both.and(ofRight);
      ObjectNode node = array.addObject();
      node.put("left", one.latents().get(match.left()));
      node.put("right", other.latents().get(match.right()));
      node.put("cosine", match.cosine()).put("mutual", match.mutual());
      node.put("tokens_left", ofLeft.cardinality()).put("tokens_right", ofRight.cardinality());
      node.put("tokens_both", both.cardinality());
    }
    return array;
  }

  /** Matches by place in the lists of active latents, nearest first. */
  private static List<Match> matches(Active one, Active other) {
    List<Match> matches = new ArrayList<>();
    if (other.latents().isEmpty()) {
      return matches;
    }
    for (int i = 0; i < one.latents().size(); i++) {
      double[] direction = one.directions().get(i);
      int nearest = other.nearest(direction);
      double[] found = other.directions().get(nearest);
      matches.add(new Match(i, nearest, dot(direction, found), one.nearest(found) == i));
    }
    matches.sort(NEAREST);
    return matches;
  }
}
