package io.matryoshka.sae.internal.fetch;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.hub.HubClient;
import io.matryoshka.sae.hub.RangesUnsupportedException;
import io.matryoshka.sae.hub.RemoteFile;
import io.matryoshka.sae.hub.RepoFile;
import io.matryoshka.sae.internal.weights.TensorFile;
import io.matryoshka.sae.internal.weights.WeightSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches only what a prefix needs of an SAE on the Hub, and keeps it as an SAE folder of its own
 * with {@code d_sae} set to the width. Python's cache is not touched.
 */
public final class PrefixDownload {

  /**
   * A part is fetched if it costs at most this share of the whole file, see {@link
   * PrefixPlan#cost}. The whole file serves every width and Python too, so a small saving is not
   * worth it.
   */
  static final double LARGEST_SHARE = 2.0 / 3;

  /** Below this saving the whole file is fetched as well. */
  static final long MIN_SAVING_BYTES = 4L << 20;

  /** Field of the metadata in the part's {@code cfg.json} that tells what it is a part of. */
  static final String PART_OF = "matryoshka_sae_part_of";

  private static final Logger LOG = LoggerFactory.getLogger(PrefixDownload.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String WIDTHS = "matryoshka_widths";

  private final HubClient client;
  private final RepoFile weights;
  private final PrefixSource source;
  private final SaeConfig config;
  private final PrefixCache cache;

  /**
   * Prepares for one SAE.
   *
   * @param weights its weight file at a commit
   * @param source what it is beside that
   * @param root the cache of this library
   */
  public PrefixDownload(HubClient client, RepoFile weights, PrefixSource source, Path root) {
    this.client = client;
    this.weights = weights;
    this.source = source;
    this.config = source.config();
    this.cache = new PrefixCache(root, weights);
  }

  /**
   * Finds the folder of a part that is at least this wide, or fetches it.
   *
   * @param anew fetch it although it is there
   * @return the folder; empty where the whole file is the better choice, or the client is offline
   */
  public Optional<Path> folder(int width, boolean anew) throws IOException {
    if (client.isOffline()) {
      return anew ? Optional.empty() : cache.find(width);
    }
    try {
      return cache.findOrMake(width, anew, folder -> fetch(width, folder));
    } catch (RangesUnsupportedException e) {
      LOG.info("Fetching the whole file, as the server does not serve parts: {}", e.getMessage());
      return Optional.empty();
    }
  }

  private boolean fetch(int width, Path folder) throws IOException {
    RemoteFile remote = client.open(weights);
    if (remote.size().isEmpty()) {
      return false;
    }
    TensorFile tensors = source.format().open(new RemoteBytes(remote), config);
    WeightSchema.check(tensors.tensors(), config, tensors.name());
    if (!PrefixPlan.isPossible(tensors.tensors())) {
      LOG.debug("Fetching all of {}: its tensors are packed or scattered", weights);
      return false;
    }
    PrefixPlan plan = new PrefixPlan(tensors.tensors(), width);
    if (!savesMuch(plan.cost(), remote.size().getAsLong())) {
      LOG.debug("Fetching all of {}: a part would cost {} bytes", weights, plan.cost());
      return false;
    }
    new PrefixWriter(remote, plan, config.firstLatents(width))
        .write(folder.resolve(SaeFiles.WEIGHTS));
    Files.write(folder.resolve(SaeFiles.CONFIG), partConfig(remote, width));
    new PrefixRecord(
            PrefixRecord.VERSION,
            weights.repoId(),
            remote.commit(),
            weights.filename(),
            remote.etag(),
            config.dSae(),
            width,
            PrefixRecord.sums(folder))
        .write(folder);
    return true;
  }

  private static boolean savesMuch(long cost, long size) {
    return cost <= LARGEST_SHARE * size && size - cost >= MIN_SAVING_BYTES;
  }

  /** The configuration with the number of latents of the part, and where it comes from. */
  private byte[] partConfig(RemoteFile remote, int width) throws IOException {
    ObjectNode root = source.json().deepCopy();
    root.put("d_sae", width);
    ObjectNode metadata =
        root.path("metadata") instanceof ObjectNode object ? object : root.putObject("metadata");
    for (ObjectNode holder : List.of(root, metadata)) {
      if (holder.hasNonNull(WIDTHS)) {
        ArrayNode widths = holder.putArray(WIDTHS);
        config.matryoshkaWidths().stream().filter(w -> w < width).forEach(widths::add);
        widths.add(width);
      }
    }
    metadata
        .putObject(PART_OF)
        .put("repo", weights.repoId())
        .put("commit", remote.commit())
        .put("file", weights.filename())
        .put("etag", remote.etag())
        .put("d_sae", config.dSae());
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
  }
}
