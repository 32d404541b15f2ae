/**
 * What the kernels need of TorchScript itself. No API for users, and nothing about SAEs.
 *
 * <p>Parameters and results are never null.
 */
package io.matryoshka.sae.kernel.torch;
