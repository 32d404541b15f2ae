/**
 * The data source of activations below its entry, for Spark's planner and hosts. No API for users.
 */
package io.matryoshka.sae.internal.spark.source;
