/**
 * What is kept of the rows seen so far, as bytes and back without loss, so that it can go from one
 * machine to another. No API for users.
 *
 * <p>No argument and no result is {@code null}.
 */
package io.matryoshka.sae.internal.state;
