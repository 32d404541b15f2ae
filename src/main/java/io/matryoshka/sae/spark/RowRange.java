package io.matryoshka.sae.spark;

import java.io.Serializable;

/**
 * A range of rows of a source.
 *
 * @param index its place among the ranges
 * @param from the first row
 * @param to the row after the last
 */
record RowRange(int index, long from, long to) implements Serializable {}
