/**
 * Jobs over ranges of rows and over texts: what the driver plans, what tasks do, and how parts are
 * joined. Spark's rows are not in the hot path. No API for users.
 */
package io.matryoshka.sae.internal.spark.job;
