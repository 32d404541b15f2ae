/**
 * Brings the files of an SAE to disk, from the Hub, out of the jar or from a folder, without
 * opening them; of a prefix only the bytes that it needs. No API for users.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.internal.fetch;
