package example;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.lm.ContextPacker;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.PackingOptions;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.lm.Trace;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Reads a text of any length, a document a line, and tells how often each level is active. */
public final class StreamCorpus {

  public static void main(String[] args) throws Exception {
    try (SAE sae = SAE.fromPretrained("bookworm-3m-res-matryoshka-demo", "blocks.5.hook_resid_post");
        LanguageModel model = LanguageModel.of(sae);
        BufferedReader documents = Files.newBufferedReader(Path.of(args[0]))) {
      long[] active = new long[sae.widths().size()];
      long tokens = 0;
      // As for training: documents one after the other, cut into contexts of one length.
      ContextPacker packer = new ContextPacker(PackingOptions.of(sae, model.config()));
      for (String line; (line = documents.readLine()) != null; ) {
        for (Tokens context : packer.add(model.tokensWithoutBos(line))) {
          tokens += count(sae, model, context, active);
        }
      }
      Optional<Tokens> rest = packer.rest();
      if (rest.isPresent()) {
        tokens += count(sae, model, rest.get(), active);
      }

      System.out.println(tokens + " tokens");
      for (int level = 0; level < active.length; level++) {
        System.out.printf(
            "level %d: %.1f active latents a token%n", level, (double) active[level] / tokens);
      }
    }
  }

  private static int count(SAE sae, LanguageModel model, Tokens context, long[] active) {
    try (Trace trace = model.trace(context, HookPoint.of(sae))) {
      SparseLatents latents = sae.encodeSparse(trace.at(HookPoint.of(sae)));
      for (int row = 0; row < latents.rows(); row++) {
        latents.forEach(row, (latent, activation) -> active[latents.level(latent)]++);
      }
      return latents.rows();
    }
  }
}
