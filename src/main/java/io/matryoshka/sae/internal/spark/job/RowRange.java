package io.matryoshka.sae.internal.spark.job;

import java.io.Serializable;

/**
 * A range of rows of a source.
 *
 * @param index its place among the ranges
 * @param from the first row
 * @param to the row after the last
 */
public record RowRange(int index, long from, long to) implements Serializable {}
