package io.matryoshka.sae.spark;

/**
 * What a run that writes activations has done.
 *
 * @param rows rows in all files, one for each token
 * @param files files of the folder
 * @param resumedFiles files that an earlier run had written
 */
public record ActivationsResult(long rows, int files, int resumedFiles) {}
