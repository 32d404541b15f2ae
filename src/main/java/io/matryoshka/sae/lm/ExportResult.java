package io.matryoshka.sae.lm;

/**
 * What an export of activations to a folder has done.
 *
 * @param rows rows in all files, one for each token
 * @param resumedRows rows of them in files that an earlier run had finished
 */
public record ExportResult(long rows, long resumedRows) {}
