/**
 * The fast engine of the CPU: screening with a proven bound, exact values for what is left, sparse
 * decoding. No API for users.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.internal.kernel.cpu;
