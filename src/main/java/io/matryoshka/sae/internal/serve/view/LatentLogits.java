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
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** The tokens that a latent's decoder row makes likelier and less likely. */
final class LatentLogits {

  private static final int SHOWN = 10;
  private static final String WHAT =
      "the decoder row as if it were the residual stream after the last layer: final norm,"
          + " unembedding, soft cap if the model has one";

  /** Places that are the residual stream, or that are added to it as they are. */
  private static final Set<Site> IN_STREAM =
      EnumSet.of(Site.RESID_PRE, Site.RESID_MID, Site.RESID_POST, Site.ATTN_OUT, Site.MLP_OUT);

  private LatentLogits() {}

  /** Whether the SAE writes into the residual stream of a model that is open. */
  static boolean areDefined(OpenSae open) {
    return open.openModel().isPresent()
        && !open.model().config().isEncoder()
        && IN_STREAM.contains(open.hookPointOut().site());
  }

  static Optional<ObjectNode> of(OpenSae open, int latent) throws IOException {
    if (!areDefined(open)) {
      return Optional.empty();
    }
    LanguageModel model = open.model();
    float[] logits;
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      NDArray row =
          manager.create(
              open.sae().decoderRows(latent, latent + 1), new Shape(1, open.sae().dOut()));
      logits = model.unembed(row, manager).toFloatArray();
    }
    ObjectNode node = Json.object();
    node.set("promoted", extreme(model, logits, 1));
    node.set("suppressed", extreme(model, logits, -1));
    node.put("what", WHAT);
    return Optional.of(node);
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
