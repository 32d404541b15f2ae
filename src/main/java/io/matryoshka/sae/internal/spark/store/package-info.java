/**
 * Files and folders on any file system that Hadoop knows, and references to them that travel to
 * hosts. Knows nothing of Spark. No API for users.
 */
package io.matryoshka.sae.internal.spark.store;
