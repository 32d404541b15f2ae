/**
 * What an executor has open, by a name that travels to it: SAEs and language models, each once for
 * all tasks; the threads and the memory that they need. No API for users.
 */
package io.matryoshka.sae.internal.spark.host;
