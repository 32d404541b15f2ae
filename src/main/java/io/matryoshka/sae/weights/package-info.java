/**
 * The tensors of an SAE in its files, whatever the format of these.
 *
 * <p>No method of this package takes or returns {@code null}.
 */
package io.matryoshka.sae.weights;
