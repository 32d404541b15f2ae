/**
 * The library on Apache Spark 3.5 and 4: jobs over activations on any file system that Hadoop
 * knows, with the results of one machine, and a transformer and a data source for those who work
 * with data frames.
 *
 * <p>An SAE goes to the hosts by name, never by value ({@link io.matryoshka.sae.spark.SaeRef}):
 * each executor opens it once, and checks that it is the one that the driver has. {@link
 * io.matryoshka.sae.spark.SaeSpark#configure} sets what Spark must be told before it starts.
 *
 * <p>Spark is not a dependency of the library: the cluster, or the program that starts Spark,
 * brings it. No type of Scala is named here, so the same classes run with Scala 2.12 and 2.13.
 *
 * <p>No argument and no result is {@code null}.
 */
package io.matryoshka.sae.spark;
