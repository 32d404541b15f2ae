/**
 * What the program for clusters starts. Its commands share options with the command line and lie
 * beside it, above all that this package knows; they are found as a service. No API for users.
 */
package io.matryoshka.sae.internal.spark.main;
