/**
 * The tensors of an SAE in its files, whatever the format of these: checked against the
 * configuration, mapped or widened. No API for users.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.internal.weights;
