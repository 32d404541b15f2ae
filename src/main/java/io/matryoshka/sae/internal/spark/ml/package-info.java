/** Columns of activations and latents of data frames, for the transformer. No API for users. */
package io.matryoshka.sae.internal.spark.ml;
