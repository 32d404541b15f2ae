/**
 * Files and folders, whatever they hold. No API for users.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.io;
