package io.matryoshka.sae.internal.serve.view;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Site;
import java.io.IOException;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The tokens that a latent's decoder row makes likelier and less likely, and the one that some
 * other latents make likeliest: the vocabulary is read once for all of them.
 *
 * @param json of the latent: the tokens with their logits
 * @param ofOthers the likeliest token of each other latent
 */
record LatentLogits(ObjectNode json, Map<Integer, String> ofOthers) {

  private static final int SHOWN = 10;
  private static final String WHAT =
      "the decoder row as if it were the residual stream after the last layer: final norm,"
          + " unembedding, soft cap if the model has one";

  /** Places that are the residual stream, or that are added to it as they are. */
  private static final Set<Site> IN_STREAM =
      EnumSet.of(Site.RESID_PRE, Site.RESID_MID, Site.RESID_POST, Site.ATTN_OUT, Site.MLP_OUT);

  /** Whether the SAE writes into the residual stream of a model that is open. */
  static boolean areDefined(OpenSae open) {
    return open.openModel().isPresent()
        && !open.model().config().isEncoder()
        && IN_STREAM.contains(open.hookPointOut().site());
  }

  /** Looks at a latent and others; empty where logits are not defined. */
  static Optional<LatentLogits> of(OpenSae open, int latent, Collection<Integer> others)
      throws IOException {
    if (!areDefined(open)) {
      return Optional.empty();
    }
    LanguageModel model = open.model();
    List<Integer> all = Stream.concat(Stream.of(latent), others.stream()).distinct().toList();
    float[] own;
    long[] likeliest;
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      NDArray rows = manager.create(rows(open, all), new Shape(all.size(), open.sae().dOut()));
      NDArray logits = model.unembed(rows, manager);
      own = logits.get("0:1").toFloatArray();
      likeliest = logits.argMax(1).toLongArray();
    }
    ObjectNode node = Json.object();
    node.set("promoted", extreme(model, own, 1));
    node.set("suppressed", extreme(model, own, -1));
    node.put("what", WHAT);
    Map<Integer, String> ofOthers = new HashMap<>();
    for (int i = 0; i < likeliest.length; i++) {
      ofOthers.put(all.get(i), model.piece((int) likeliest[i]));
    }
    return Optional.of(new LatentLogits(node, ofOthers));
  }

  /** The token that one of the others makes likeliest. */
  String likeliest(int latent) {
    return ofOthers.get(latent);
  }

  private static float[] rows(OpenSae open, List<Integer> latents) {
    int width = open.sae().dOut();
    float[] rows = new float[latents.size() * width];
    for (int i = 0; i < latents.size(); i++) {
      int latent = latents.get(i);
      System.arraycopy(open.sae().decoderRows(latent, latent + 1), 0, rows, i * width, width);
    }
    return rows;
  }

  private static ArrayNode extreme(LanguageModel model, float[] logits, int sign)
      throws IOException {
    double[] signed =
        IntStream.range(0, logits.length).mapToDouble(id -> (double) sign * logits[id]).toArray();
    ArrayNode array = Json.array();
    for (int id : InterventionView.likeliest(signed, SHOWN)) {
      ObjectNode node = array.addObject().put("id", id).put("text", model.piece(id));
      Json.put(node, "logit", logits[id]);
    }
    return array;
  }
}
