/**
 * An opened SAE without its API: the weights, the normalisation of activations, and the engine that
 * was chosen when it was opened. No API for users.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.internal.model;
