/**
 * What people or models say that single latents stand for: from Neuronpedia, or from a file of your
 * own. Labels are foreign text: they are neither checked nor part of any result, and whoever prints
 * them on a page must escape them.
 *
 * <p>No public method of this package takes or returns {@code null}.
 *
 * @see <a href="https://docs.neuronpedia.org/api-and-data/exports">Neuronpedia's exports</a>
 */
package io.matryoshka.sae.labels;
