/**
 * Measuring the library: synthetic SAEs of real shapes, and timings of every operation against the
 * reference path in the same run.
 *
 * <p>No public method takes or returns {@code null}.
 */
package io.matryoshka.sae.internal.bench;
