package io.matryoshka.sae.internal.model;

import ai.djl.Device;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRowsStore;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How the weights of an SAE are opened.
 *
 * @param device holds the weights and computes
 * @param fast whether the fast engine is wanted where it runs
 * @param acceleratorInt8From where the engine of accelerators is wanted on any device, the
 *     multiplications from which it screens a call with int8 products
 * @param foldDecoderNorms whether latents are multiplied by the norms of their decoder rows, and
 *     the rows divided by them
 * @param normScale factor on model activations that a release asks for; 1 for none
 * @param store where prepared data is kept between runs, if anywhere
 */
public record OpenSettings(
    Device device,
    boolean fast,
    OptionalLong acceleratorInt8From,
    boolean foldDecoderNorms,
    double normScale,
    Optional<EncoderRowsStore> store) {}
