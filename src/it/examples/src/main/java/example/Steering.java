package example;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.GenerateOptions;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;

/** The same prompt, continued plainly and with a latent turned up. */
public final class Steering {

  public static void main(String[] args) throws Exception {
    try (SAE sae = SAE.fromPretrained("bookworm-3m-res-matryoshka-demo", "blocks.5.hook_resid_post");
        LanguageModel model = LanguageModel.of(sae)) {
      Tokens prompt = model.tokens("building: the occupants of a");
      GenerateOptions options = GenerateOptions.greedy(12);
      System.out.println("plain:  " + model.generate(prompt, options).text());
      Intervention steer = Intervention.steer(sae, 1, 24f);
      System.out.println("steered:" + model.generate(prompt, options, steer).text());
    }
  }
}
