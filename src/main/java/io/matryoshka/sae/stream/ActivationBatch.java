package io.matryoshka.sae.stream;

/**
 * Consecutive rows of a source.
 *
 * @param firstRow index of the first row within the whole source
 * @param rows number of rows, at least 1
 * @param values {@code [rows, d_in]} row-major; belongs to the receiver, and is not copied
 */
public record ActivationBatch(long firstRow, int rows, float[] values) {}
