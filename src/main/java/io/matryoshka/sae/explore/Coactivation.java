package io.matryoshka.sae.explore;

/**
 * How often a parent and a child fire on the same token.
 *
 * @param parent a latent of a lower level than the child
 * @param child a latent of a higher level
 * @param both tokens where both fire
 * @param parentFirings tokens where the parent fires
 * @param childFirings tokens where the child fires
 * @param rows all tokens
 */
public record Coactivation(
    int parent, int child, long both, long parentFirings, long childFirings, long rows) {

  /**
   * Returns P(child|parent), the share of the parent's tokens where the child fires too.
   *
   * @return 0 to 1; NaN if the parent never fires
   */
  public double childGivenParent() {
    return (double) both / parentFirings;
  }

  /**
   * Returns P(parent|child), the share of the child's tokens where the parent fires too.
   *
   * @return 0 to 1; NaN if the child never fires
   */
  public double parentGivenChild() {
    return (double) both / childFirings;
  }

  /**
   * Returns how many times more often both fire together than they would if independent.
   *
   * @return at least 0, 1 if independent; NaN if one never fires
   */
  public double lift() {
    return parentGivenChild() * rows / parentFirings;
  }

  /**
   * Returns the correlation of firing, the phi coefficient of the two by two table. Unlike the
   * shares it does not favour parents that fire everywhere.
   *
   * @return -1 to 1, 0 if independent; NaN if one fires always or never
   */
  public double correlation() {
    double p = (double) parentFirings / rows;
    double c = (double) childFirings / rows;
    return ((double) both / rows - p * c) / Math.sqrt(p * (1 - p) * c * (1 - c));
  }
}
