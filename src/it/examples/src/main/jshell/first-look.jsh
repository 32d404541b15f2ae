import io.matryoshka.sae.*

var sae = SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state")
System.out.println(sae)

// 5 times the direction of latent 7, in place of activations of a model
float[] x = sae.decode(SparseLatents.of(new int[] {0, 1}, new int[] {7}, new float[] {5}, sae.dSae()))
var latents = sae.encodeSparse(x)
System.out.println("the strongest is " + latents.strongest(0, 1).get(0).latent())

sae.close()
/exit
