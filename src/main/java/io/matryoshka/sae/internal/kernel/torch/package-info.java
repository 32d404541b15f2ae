/**
 * What libtorch gives the kernels: operations through TorchScript, threads, support of int8
 * products, copies to Java memory. Nothing about SAEs; no API for users.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.internal.kernel.torch;
