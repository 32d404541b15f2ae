package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.registry.SaeLocation;

/** Writes the facts of the registry as JSON, under the names of the release tables. */
final class SaeJson {

  private SaeJson() {}

  static ObjectNode put(ObjectNode target, Release release) {
    target
        .put("release", release.id())
        .put("description", release.description())
        .put("model", release.model());
    release.modelRepo().ifPresent(repo -> target.put("model_repo", repo));
    return target.put("sae_count", release.saes().size());
  }

  static ObjectNode put(ObjectNode target, SaeEntry sae) {
    target.put("id", sae.saeId());
    sae.layer().ifPresent(layer -> target.put("layer", layer));
    target.put("site", sae.site()).put("format", sae.format()).put("hook_point", sae.hookPoint());
    sae.hookPointOut().ifPresent(hook -> target.put("hook_point_out", hook));
    if (sae.location() instanceof SaeLocation.Hub hub) {
      target.put("repo", hub.repoId()).put("path", hub.path());
    }
    target.put("d_in", sae.dIn()).put("d_sae", sae.dSae());
    sae.widths().forEach(target.withArray("/widths")::add);
    sae.trainingK().ifPresent(k -> target.put("training_k", k));
    sae.explainedVariance().ifPresent(v -> target.put("explained_variance", v));
    sae.neuronpediaId().ifPresent(id -> target.put("neuronpedia_id", id));
    sae.normScalingFactor().ifPresent(f -> target.put("norm_scaling_factor", f));
    sae.training()
        .ifPresent(
            t ->
                target
                    .putObject("training")
                    .put("tokens", t.tokens())
                    .put("dataset", t.dataset())
                    .put("loss", t.loss()));
    return target;
  }
}
