/**
 * Language models in process: Gemma 2 and Gemma 3, from text to the residual stream, and from an
 * edited stream to the next token; and BERT encoders, from text to the hidden states.
 *
 * <p>{@link io.matryoshka.sae.lm.LanguageModel} is the door: it reads a model folder of the Hugging
 * Face Hub, gives activations at any {@link io.matryoshka.sae.lm.HookPoint}, runs with {@link
 * io.matryoshka.sae.lm.Intervention}s, and generates. Arithmetic is float32 on the file's weights,
 * which stay mapped. Training, other architectures and float16 arithmetic are not offered.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.lm;
