package io.matryoshka.sae.spark;

import ai.djl.Device;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.internal.spark.host.HostHub;
import io.matryoshka.sae.internal.spark.host.HostSae;
import io.matryoshka.sae.safetensors.Dtype;
import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/**
 * Names an SAE and how it is loaded, so that every host of a cluster can open it. Immutable and
 * serialisable; each method returns a changed copy. Weights do not travel with it.
 *
 * <pre>{@code
 * SaeRef ref = SaeRef.of("gemma-2-2b-res-matryoshka-dc", "blocks.12.hook_resid_post").prefix(2048);
 * SaeRef own = SaeRef.folder("s3a://bucket/my-sae");
 * }</pre>
 *
 * <p>Which latents are kept of those that fire belongs to the run or the transformer, as on one
 * machine ({@link io.matryoshka.sae.Selection}).
 */
public final class SaeRef implements Serializable {

  private static final long serialVersionUID = 1;

  /** What a host needs to open the SAE. */
  private final HostSae sae;

  private SaeRef(HostSae sae) {
    this.sae = sae;
  }

  /**
   * Names an SAE of a release, or a folder of a repository on the Hugging Face Hub. Each host
   * fetches it to its own cache.
   *
   * @param release a release, or {@code owner/repo}
   * @param saeId an SAE of it, or the folder in the repository
   * @return the reference
   */
  public static SaeRef of(String release, String saeId) {
    Objects.requireNonNull(release, "release");
    Objects.requireNonNull(saeId, "saeId");
    return new SaeRef(HostSae.of(release, saeId));
  }

  /**
   * Names the folder of an SAE, in any format that is read. A folder that is not on a disk of the
   * host is copied there once.
   *
   * @param folder a path, or the URI of a folder on any file system that Hadoop knows
   * @return the reference
   */
  public static SaeRef folder(String folder) {
    Objects.requireNonNull(folder, "folder");
    return new SaeRef(HostSae.folder(folder));
  }

  /**
   * Reads the text form.
   *
   * @param text {@code release:sae_id}; or a path with a {@code /} at its start or a URI, for a
   *     folder
   * @return the reference
   * @throws IllegalArgumentException if it is neither
   */
  public static SaeRef parse(String text) {
    if (text.startsWith("/") || text.matches("[A-Za-z][A-Za-z0-9+.-]*:/.*")) {
      return folder(text);
    }
    int colon = text.indexOf(':');
    if (colon < 1) {
      throw new IllegalArgumentException(
          "an SAE is named by RELEASE:SAE_ID, or by the path or URI of its folder, got '%s'"
              .formatted(text));
    }
    return of(text.substring(0, colon), text.substring(colon + 1));
  }

  /**
   * Loads only a prefix.
   *
   * @param width number of leading latents, at least 1
   * @return changed reference
   * @throws IllegalArgumentException if the width is below 1
   */
  public SaeRef prefix(int width) {
    return new SaeRef(sae.prefix(width));
  }

  /**
   * Sets the type that weights are rounded to.
   *
   * @param dtype F32, F64, F16 or BF16
   * @return changed reference
   * @throws IllegalArgumentException for any other type
   */
  public SaeRef dtype(Dtype dtype) {
    return new SaeRef(sae.dtype(dtype));
  }

  /**
   * Sets the device that each host computes on. Hosts give the same bits only if they compute
   * alike.
   *
   * @param device such as {@code Device.cpu()}, the default
   * @return changed reference
   */
  public SaeRef device(Device device) {
    return new SaeRef(sae.device(device));
  }

  /**
   * Sets the implementation.
   *
   * @param engine fast, the default, or reference
   * @return changed reference
   */
  public SaeRef engine(LoadOptions.Engine engine) {
    return new SaeRef(sae.engine(engine));
  }

  /**
   * Sets the Matryoshka widths of an SAE whose files do not tell them.
   *
   * @param widths rising prefix widths
   * @return changed reference
   */
  public SaeRef widths(List<Integer> widths) {
    return new SaeRef(sae.widths(widths));
  }

  /**
   * Sets the factor on model activations, as {@link LoadOptions#normScalingFactor}.
   *
   * @param factor a positive number that float32 can hold
   * @return changed reference
   * @throws IllegalArgumentException if it is none
   */
  public SaeRef scalingFactor(double factor) {
    return new SaeRef(sae.scalingFactor(factor));
  }

  /**
   * Sets whether latents are multiplied by the norms of the decoder rows, as {@link
   * LoadOptions#foldDecoderNorms}.
   *
   * @param fold false, the default, to leave latents as they are
   * @return changed reference
   */
  public SaeRef foldDecoderNorms(boolean fold) {
    return new SaeRef(sae.foldDecoderNorms(fold));
  }

  /**
   * Sets the branch, tag or commit on the Hub. A commit, unlike a branch, is the same for hosts
   * that fetch at different times.
   *
   * @param revision such as {@code main}
   * @return changed reference
   */
  public SaeRef revision(String revision) {
    return new SaeRef(sae.hub(HostHub.unsaid().revision(revision)));
  }

  /**
   * Sets whether hosts use only what is in their caches.
   *
   * @param offline true to send no request
   * @return changed reference
   */
  public SaeRef offline(boolean offline) {
    return new SaeRef(sae.hub(HostHub.unsaid().offline(offline)));
  }

  /**
   * Sets the folder of the Hub's cache, the same path on every host.
   *
   * @param folder an absolute path
   * @return changed reference
   */
  public SaeRef cacheDir(String folder) {
    return new SaeRef(sae.hub(HostHub.unsaid().cacheDir(folder)));
  }

  /**
   * Sets whether hosts keep the fast path's layout of the encoder on their disks, as {@link
   * LoadOptions#preparedCache}.
   *
   * @param keep true, the default, for a faster start the next time
   * @return changed reference
   */
  public SaeRef preparedCache(boolean keep) {
    return new SaeRef(sae.preparedCache(keep));
  }

  /** Returns what travels to hosts. */
  HostSae host() {
    return sae;
  }

  /** Equal references open the same SAE. */
  @Override
  public boolean equals(Object other) {
    return other instanceof SaeRef ref && ref.sae.equals(sae);
  }

  @Override
  public int hashCode() {
    return sae.hashCode();
  }

  @Override
  public String toString() {
    return "SaeRef" + sae;
  }
}
