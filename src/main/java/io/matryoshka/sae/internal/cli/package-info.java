/**
 * The command line: each class parses the options of one command, calls the library and prints the
 * result. It holds no arithmetic on activations; that stands in the packages below.
 *
 * <p>Results go to stdout, everything else to stderr. No method takes or returns {@code null}; the
 * fields that picocli fills are {@code null} where an option was not given.
 */
package io.matryoshka.sae.internal.cli;
