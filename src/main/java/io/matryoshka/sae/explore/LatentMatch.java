package io.matryoshka.sae.explore;

import io.matryoshka.sae.SAE;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * The latent of another SAE that points the same way.
 *
 * @param latent index in the one SAE
 * @param match index in the other SAE, the one with the largest decoder cosine; -1 if there is none
 * @param cosine that cosine; NaN if there is none
 * @param mutual whether each is the other's best match
 */
public record LatentMatch(int latent, int match, double cosine, boolean mutual) {

  /**
   * Matches all latents of two SAEs of one {@code d_in} by the cosine of their decoder directions.
   *
   * @param one the latents to match
   * @param other the SAE to find matches in
   * @param progress told the number of latents searched, of both SAEs
   * @return one for each latent of {@code one}, in order
   * @throws IllegalArgumentException if the SAEs differ in {@code d_in}
   */
  public static List<LatentMatch> between(SAE one, SAE other, LongConsumer progress) {
    int[] latents = IntStream.range(0, one.dSae()).toArray();
    int[] others = IntStream.range(0, other.dSae()).toArray();
    List<List<Neighbour>> there =
        new NearestLatents(one, other, Direction.DECODER, 1).asOfTwo().find(latents, progress);
    List<List<Neighbour>> back =
        new NearestLatents(other, one, Direction.DECODER, 1)
            .asOfTwo()
            .find(others, done -> progress.accept(latents.length + done));
    List<LatentMatch> matches = new ArrayList<>();
    for (int latent : latents) {
      if (there.get(latent).isEmpty()) {
        matches.add(new LatentMatch(latent, -1, Double.NaN, false));
        continue;
      }
      Neighbour best = there.get(latent).get(0);
      List<Neighbour> reply = back.get(best.latent());
      boolean mutual = !reply.isEmpty() && reply.get(0).latent() == latent;
      matches.add(new LatentMatch(latent, best.latent(), best.cosine(), mutual));
    }
    return matches;
  }
}
