/**
 * The fast path's layout of an encoder, in memory and on disk. No API for users.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.internal.kernel.prepared;
