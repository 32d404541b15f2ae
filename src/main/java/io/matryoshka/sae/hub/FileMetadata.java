package io.matryoshka.sae.hub;

import java.net.URI;
import java.util.OptionalLong;

/**
 * What the Hub says about a file before its content is fetched.
 *
 * @param commit the full hash of the commit that the revision names now
 * @param etag the name of the content: its sha256, its git blob id, or a mirror's own
 * @param size its length in bytes, where told
 * @param source where the content is served
 */
record FileMetadata(String commit, String etag, OptionalLong size, URI source) {}
