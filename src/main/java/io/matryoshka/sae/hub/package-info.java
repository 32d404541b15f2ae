/**
 * Files from the Hugging Face Hub, in the cache folder that Python's {@code huggingface_hub} uses.
 *
 * <p>{@link io.matryoshka.sae.hub.HubClient} fetches a {@link io.matryoshka.sae.hub.RepoFile} and
 * answers with its path in the cache; what either client has stored, the other finds. {@link
 * io.matryoshka.sae.hub.RemoteFile} reads ranges of a file without storing it, and {@link
 * io.matryoshka.sae.hub.HubCache} lists and checks what is stored.
 *
 * <p>A file becomes visible under its name only by an atomic rename, after its length and, where
 * the Hub names one, its hash have been checked, so a process killed at any moment leaves nothing
 * that would be taken for complete. Data are not forced to the device: after a loss of power,
 * {@link io.matryoshka.sae.hub.HubCache#verify()} tells what to fetch again.
 *
 * <p>Not here: uploading, the Xet transfer protocol (plain HTTP serves the same bytes), and
 * anything about what the files mean. Only model repositories are downloaded.
 *
 * <p>No method of this package takes or returns {@code null}; an absent value is an {@link
 * java.util.Optional}. Tokens never appear in messages, logs or {@code toString}.
 */
package io.matryoshka.sae.hub;
